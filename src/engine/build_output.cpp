#include "engine/build_output.hpp"

#include <compose/images.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "build/tree_writer.hpp"
#include "image/layer_diff.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/spool.hpp"
#include "sys/tree.hpp"

namespace compose::engine {
namespace {

class FileSink final : public image::ByteSink {
public:
    explicit FileSink(sys::FdRef fd) : fd_(fd) {}
    void write(std::string_view bytes) override {
        pending_ += bytes;
        if (pending_.size() >= kPiece) flush();
    }
    void flush() {
        sys::write_all(fd_, pending_);
        pending_.clear();
    }

private:
    static constexpr std::size_t kPiece = std::size_t{256} << 10U;
    sys::FdRef fd_;
    std::string pending_;
};

void write_folder(BuildShared& shared, const BuiltLayers& built, const std::string& dest) {
    sys::make_directories(dest, 0755);
    const auto root = sys::open_directory(dest);
    const LayersView view(shared, built.chain);
    build::TreeWriter writer(root, {});
    writer.copy(view.tree(), {"", ""}, "/", "/");
    writer.finish();
}

void write_tar(BuildShared& shared, const BuiltLayers& built, sys::FdRef out) {
    const LayersView view(shared, built.chain);
    FileSink sink(out);
    image::LayerTarOptions options;
    options.clamp_time = shared.request.source_date_epoch;
    image::write_layer_tar(view.tree().root(), sink, options);
    sink.flush();
}

/// The archive is made from the store, so the image is there for as long as that takes.
void save_image(BuildShared& shared, const BuiltLayers& built, const std::string& type, sys::FdRef out) {
    store::Store store(shared.layout);
    store::Image row;
    row.config = image::render_config(built.config);
    row.id = image::config_digest(row.config);
    row.layers = built.chain;
    row.size = built.size;
    const bool fresh = !store.image(row.id);
    if (fresh) store.put_image(row);
    struct Silent final : EventSink {
        void on_event(const Event&) override {}
    } silent;
    EngineOptions options;
    options.state_dir = shared.layout.state;
    options.run_dir = shared.layout.run;
    Images images(options, silent);
    images.save({row.id}, SaveOptions{.format = type}, out.get(), shared.cancel);
    if (fresh) store.delete_image(row.id);
}

}  // namespace

void write_output(BuildShared& shared, const BuiltLayers& built, const BuildOutput& output) {
    if (output.type == "image") return;
    in_context([&] { return fmt::format("write the output {}", quote(output.dest)); },
               [&] {
                   if (output.type == "local") return write_folder(shared, built, output.dest);
                   sys::Fd opened;
                   if (output.dest != "-") {
                       sys::write_file(output.dest, "", 0644);
                       opened = sys::open_to_append(output.dest);
                   }
                   const auto out = opened ? sys::FdRef(opened) : sys::FdRef(shared.request.output_fd);
                   if (output.type == "tar") return write_tar(shared, built, out);
                   save_image(shared, built, output.type, out);
               });
}

}  // namespace compose::engine
