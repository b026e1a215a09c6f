#include "engine/build_shared.hpp"

#include "base/error.hpp"
#include "engine/image_catalog.hpp"
#include "image/copy_up.hpp"
#include "sys/dir.hpp"

namespace compose::engine {

std::vector<std::string> BuildShared::folders(const std::vector<std::string>& chain) const {
    std::vector<std::string> out;
    for (auto layer = chain.rbegin(); layer != chain.rend(); ++layer) out.push_back(layout.layer(*layer));
    return out;
}

BuiltLayers BuildShared::image(store::Store& store, const std::string& reference, const std::string&) {
    const auto found = find_image(store, reference);
    if (!found) throw make_error(ErrorKind::not_found, "image {} is not here", "\"" + reference + "\"");
    BuiltLayers out;
    out.chain = found->layers;
    out.config = image::parse_config(found->config);
    out.size = found->size;
    return out;
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
