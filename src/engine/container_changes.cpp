#include "engine/container_changes.hpp"

#include <algorithm>
#include <exception>
#include <thread>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "engine/container_disk.hpp"
#include "engine/container_request.hpp"
#include "engine/image_catalog.hpp"
#include "image/changes.hpp"
#include "image/config.hpp"
#include "image/copy_up.hpp"
#include "image/layer.hpp"
#include "image/layer_diff.hpp"
#include "image/reference.hpp"
#include "image/tree_tar.hpp"
#include "runtime/spec.hpp"
#include "sys/clock.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/tree.hpp"
#include "sys/xattr.hpp"

namespace compose::engine {
namespace {

/// What every container gets from us: no change of its own.
constexpr std::string_view kOurs[] = {"/dev", "/proc", "/sys", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"};

class Changes {
public:
    explicit Changes(const runtime::ContainerSpec& spec)
        : lower_(image::open_image_root(spec.lower)), upper_(sys::open_directory(spec.upper)) {
        for (const std::string_view path : kOurs) ours_.emplace_back(path);
        for (const runtime::MountSpec& mount : spec.mounts) ours_.push_back(mount.target);
    }

    std::vector<FileChange> run() {
        walk(upper_, "");
        std::sort(out_.begin(), out_.end(), [](const FileChange& a, const FileChange& b) { return a.path < b.path; });
        return std::move(out_);
    }

private:
    using Kind = FileChange::Kind;

    [[nodiscard]] std::optional<sys::FileInfo> below(const std::string& path) const {
        const auto slash = path.rfind('/');
        const auto dir = sys::find_directory_in_root(lower_, path.substr(0, slash + 1), sys::Missing::anything_else);
        return dir ? sys::inspect_at(*dir, path.substr(slash + 1)) : std::nullopt;
    }

    [[nodiscard]] bool is_ours(const std::string& path) const {
        return std::find(ours_.begin(), ours_.end(), path) != ours_.end();
    }

    void walk(sys::FdRef dir, const std::string& prefix) {
        for (const auto& name : sys::list_directory(dir)) {
            const auto info = sys::inspect_at(dir, name);
            if (!info) continue;
            const std::string path = prefix + "/" + name;
            const auto old = below(path);
            if (info->kind == sys::FileKind::character && info->device == 0) {
                if (old) out_.push_back({Kind::deleted, path});
                continue;
            }
            if (info->kind == sys::FileKind::directory) {
                walk_directory(dir, name, path, *info, old);
                continue;
            }
            if (!is_ours(path)) out_.push_back({old ? Kind::changed : Kind::added, path});
        }
    }

    void walk_directory(sys::FdRef dir, const std::string& name, const std::string& path, const sys::FileInfo& info,
                        const std::optional<sys::FileInfo>& old) {
        const auto opened = sys::open_directory_at(dir, name);
        if (!opened) return;
        const std::size_t before = out_.size();
        walk(*opened, path);
        if (sys::read_xattr(*opened, "trusted.overlay.opaque") == "y") add_hidden(*opened, path);
        const bool was_directory = old && old->kind == sys::FileKind::directory;
        const bool same = was_directory && old->mode == info.mode && old->owner == info.owner &&
                          old->group == info.group && out_.size() == before;
        if (same || (is_ours(path) && out_.size() == before)) return;
        out_.push_back({old ? Kind::changed : Kind::added, path});
    }

    /// The directory was removed and made again: what the image has in it is gone.
    void add_hidden(sys::FdRef now, const std::string& path) {
        const auto lower = sys::find_directory_in_root(lower_, path, sys::Missing::anything_else);
        if (!lower) return;
        for (const auto& name : sys::list_directory(*lower))
            if (!sys::inspect_at(now, name)) out_.push_back({Kind::deleted, path + "/" + name});
    }

    sys::Fd lower_, upper_;
    std::vector<std::string> ours_;
    std::vector<FileChange> out_;
};

/// The upper folder as a layer above the image's.
image::UnpackedLayer make_layer(const std::string& upper, const store::Layout& layout, const std::string& parent) {
    auto pipe = sys::make_pipe();
    std::exception_ptr failure;
    std::thread writer([&] {
        try {
            image::FdSink sink(pipe.write);
            image::write_layer_tar(sys::open_directory(upper), sink);
            sink.flush();
        } catch (...) {
            failure = std::current_exception();
        }
        pipe.write.reset();
    });
    std::exception_ptr unpack_failure;
    image::UnpackedLayer layer;
    try {
        layer = image::unpack_layer(pipe.read, layout.layers(), parent);
    } catch (...) {
        unpack_failure = std::current_exception();
    }
    pipe.read.reset();
    writer.join();
    if (failure) std::rethrow_exception(failure);
    if (unpack_failure) std::rethrow_exception(unpack_failure);
    return layer;
}

/// What the container was run with becomes what the image runs.
void take_over(const runtime::ContainerSpec& spec, const RequestedCommand& requested, const store::Container& row,
               image::ImageConfig& config) {
    config.env = spec.process.env;
    config.entrypoint = requested.entrypoint;
    config.cmd = requested.command;
    config.user = spec.process.user;
    config.working_dir = spec.process.cwd;
    for (const auto& [key, value] : row.labels)
        if (!key.starts_with("com.docker.compose.")) config.labels[key] = value;
}

}  // namespace

std::vector<FileChange> list_changes(const store::Container& row) {
    const runtime::ContainerSpec spec = runtime::spec_from_json(row.config.spec);
    std::vector<FileChange> changes;
    sys::visit_disk(disk_of(spec), [&] { changes = Changes(spec).run(); });
    return changes;
}

std::string commit_image(store::Store& store, const store::Container& row, const CommitOptions& options) {
    std::optional<image::Reference> name;
    if (!options.reference.empty()) {
        name = image::parse_reference(options.reference);
        if (!name->digest.empty())
            throw make_error(ErrorKind::invalid, "\"{}\": a new image can't have a digest in its name",
                             options.reference);
    }
    const auto parent = store.image(row.config.image_id);
    if (!parent) throw make_error(ErrorKind::not_found, "the image of container {} is gone", row.name);
    image::ImageConfig config = image::parse_config(parent->config);
    const runtime::ContainerSpec spec = runtime::spec_from_json(row.config.spec);
    take_over(spec, requested_command(store.container_texts(row.id).request), row, config);
    for (const std::string& change : options.changes) image::apply_change(config, change);

    const store::Layout& layout = store.layout();
    const auto lock = sys::FileLock::acquire(layout.state + "/import.lock", std::chrono::minutes(10));
    if (!lock) throw make_error(ErrorKind::conflict, "an import is running, and hangs");
    const image::LayerLease lease(layout.layers());
    image::UnpackedLayer layer;
    sys::visit_disk(disk_of(spec), [&] {
        layer = make_layer(spec.upper, layout, parent->layers.empty() ? std::string{} : parent->layers.back());
    });
    const auto now = sys::wall_now();
    config.created = sys::rfc3339(now);
    if (!options.author.empty()) config.author = options.author;
    config.diff_ids.push_back(layer.diff_id);
    config.history.push_back({.created = config.created,
                              .created_by = join(spec.process.args, " "),
                              .comment = options.message,
                              .empty_layer = false});
    store::Image image;
    image.config = image::render_config(config);
    image.id = image::config_digest(image.config);
    image.layers = parent->layers;
    image.layers.push_back(layer.chain_id);
    image.size = parent->size + layer.size;
    image.created_at = now.time_since_epoch().count();
    store.transaction([&] {
        store.put_image(image);
        if (name) store.tag_image(name->to_string(), image.id);
    });
    store.sync();
    return image.id;
}

}  // namespace compose::engine
