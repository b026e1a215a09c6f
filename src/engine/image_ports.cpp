// What `-P` publishes.
#include <compose/objects.hpp>

#include "engine/image_catalog.hpp"
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

}  // namespace compose
