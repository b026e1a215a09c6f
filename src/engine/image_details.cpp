// What single commands ask about an image.
#include <compose/objects.hpp>

#include "engine/image_catalog.hpp"
#include "image/reference.hpp"
#include "store/store.hpp"

namespace compose {

std::optional<std::vector<std::string>> exposed_by_image(const EngineOptions& options, const std::string& reference) {
    const store::Layout layout = store::Layout::from(options.state_dir, options.run_dir);
    layout.prepare();
    const store::Store store(layout);
    const auto image = engine::find_image(store, reference);
    if (!image) return std::nullopt;
    return engine::facts_of(*image).exposed;
}

std::optional<ImageDetails> image_details(const EngineOptions& options, const std::string& reference) {
    const store::Layout layout = store::Layout::from(options.state_dir, options.run_dir);
    layout.prepare();
    const store::Store store(layout);
    const auto row = engine::find_image(store, reference);
    if (!row) return std::nullopt;
    ImageDetails details;
    details.id = row->id;
    details.config = row->config;
    details.size = row->size;
    details.created_at = row->created_at;
    for (const store::ImageName& name : store.image_names()) {
        if (name.image_id != row->id) continue;
        const image::Reference parsed = image::parse_reference(name.reference);
        (parsed.digest.empty() ? details.names : details.digests).push_back(parsed.familiar());
    }
    return details;
}

}  // namespace compose
