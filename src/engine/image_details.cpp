// What single commands ask about an image.
#include <compose/objects.hpp>

#include "engine/image_catalog.hpp"
#include "image/reference.hpp"
#include "store/store.hpp"

namespace compose {

RunFacts run_facts(const EngineOptions& options, const std::string& image) {
    const store::Layout layout = store::Layout::from(options.state_dir, options.run_dir);
    layout.prepare();
    const store::Store store(layout);
    RunFacts facts;
    if (const auto row = engine::find_image(store, image)) facts.exposed = engine::facts_of(*row).exposed;
    facts.has_bridge = store.network_by_name(kBridgeNetwork).has_value();
    return facts;
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
