#include "engine/image_events.hpp"

#include "base/strings.hpp"
#include "store/event_log.hpp"

namespace compose::engine {

void tell_image(const store::Layout& layout, const char* action, const std::string& id, const std::string& name) {
    store::append_event(
        layout,
        {.type = "image", .action = action, .id = id, .name = name, .project = {}, .service = {}, .attributes = {}});
}

void tell_removed_images(const store::Layout& layout, const std::vector<std::string>& lines) {
    for (const auto& line : lines) {
        const auto colon = line.find(": ");
        if (colon == std::string::npos) continue;
        const auto what = lower(line.substr(0, colon)), object = line.substr(colon + 2);
        if (what == "untagged") tell_image(layout, "untag", object, object);
        if (what == "deleted") tell_image(layout, "delete", object, object);
    }
}

}  // namespace compose::engine
