#include "engine/build_shared.hpp"

#include "base/error.hpp"
#include "engine/base_images.hpp"
#include "engine/layout_context.hpp"
#include "image/copy_up.hpp"
#include "sys/dir.hpp"

namespace compose::engine {

std::vector<std::string> BuildShared::folders(const std::vector<std::string>& chain) const {
    std::vector<std::string> out;
    for (auto layer = chain.rbegin(); layer != chain.rend(); ++layer) out.push_back(layout.layer(*layer));
    return out;
}

namespace {

/// A pull inside a build: what it says about bytes is not worth a line each.
class PullEvents final : public EventSink {
public:
    PullEvents(BuildSink& sink, std::string build) : sink_(sink), build_(std::move(build)) {}
    void on_event(const Event& event) override {
        if (event.status != Event::Status::warning) return;
        BuildEvent told;
        told.kind = BuildEvent::Kind::warning;
        told.build = build_;
        told.text = event.id + ": " + event.text;
        sink_.on_build_event(told);
    }

private:
    BuildSink& sink_;
    std::string build_;
};

BuiltLayers layers_in(const store::Image& found) {
    BuiltLayers out;
    out.chain = found.layers;
    out.config = image::parse_config(found.config);
    out.size = found.size;
    return out;
}

}  // namespace

BuiltLayers BuildShared::image(store::Store& store, const std::string& reference, const std::string& platform) {
    if (reference.starts_with(kLayoutScheme))
        return image(store, load_layout_image(store, reference, platform, cancel), platform);
    const auto when = request.pull && !reference.starts_with("sha256:") ? PullWhen::always : PullWhen::missing;
    PullEvents events(sink, request.name);
    return layers_in(ensure_image(store, layout, events, reference, when, platform, cancel));
}

BuiltLayers BuildShared::pulled(store::Store& store, const std::string& reference) {
    PullEvents events(sink, request.name);
    return layers_in(ensure_image(store, layout, events, reference, PullWhen::always, request.platform, cancel));
}

BuiltLayers BuildShared::layers_of(store::Store& store, const std::string& name) {
    if (const auto given = sources.named_image(name)) return image(store, *given, request.platform);
    if (const auto stage = file.find(name)) {
        const std::lock_guard lock(mutex);
        if (const auto done = stages.find(*stage); done != stages.end()) return done->second;
        throw make_error(ErrorKind::invalid, "stage \"{}\" was not built: only COPY and RUN --mount can ask for it",
                         name);
    }
    return image(store, name, request.platform);
}

LayersView::LayersView(const BuildShared& shared, const std::vector<std::string>& chain) : digests_("") {
    auto root = chain.empty() ? sys::open_directory(shared.workspace.new_folder("scratch"))
                              : image::open_image_root(shared.folders(chain));
    tree_ = std::make_unique<build::SourceTree>(std::move(root), build::DockerIgnore(), digests_, true);
}

}  // namespace compose::engine
