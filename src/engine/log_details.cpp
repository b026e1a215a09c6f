#include "engine/log_details.hpp"

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "base/template.hpp"

namespace compose::engine {
namespace {

std::string render_tag(const std::string& tag, const store::Container& row, const ImageFacts& image) {
    const auto whole = [](const std::string& id) { return id.substr(id.find(':') + 1); };
    const std::string image_id = whole(image.id);
    const json::object facts{{"ID", std::string(short_id(row.id))},
                             {"FullID", row.id},
                             {"Name", row.name},
                             {"ImageID", std::string(short_id(image_id))},
                             {"ImageFullID", image_id},
                             {"ImageName", row.config.image},
                             {"DaemonName", "compose"}};
    try {
        return Template(tag).render(facts);
    } catch (const Error& error) {
        throw make_error(ErrorKind::invalid, "logging option tag: {}", error.what())
            .with_hint("it knows {{.Name}}, {{.ID}}, {{.FullID}}, {{.ImageName}}, {{.ImageID}} and {{.ImageFullID}}");
    }
}

}  // namespace

void check_log_tag(const std::string& tag) {
    (void)render_tag(tag, {}, {});
}

std::map<std::string, std::string> log_details(const Service& service, const ImageFacts& image,
                                               const store::Container& row, const std::vector<std::string>& spec_env) {
    std::map<std::string, std::string> out;
    if (!service.logging || service.logging->driver == "none") return out;
    for (const auto& [key, value] : service.logging->options) {
        if (key == "tag" && !value.empty()) out["tag"] = render_tag(value, row, image);
        if (key != "labels" && key != "env") continue;
        for (const auto& name : split(value, ',')) {
            if (key == "labels") {
                if (const auto label = row.labels.find(name); label != row.labels.end()) out[name] = label->second;
                continue;
            }
            for (const auto& pair : spec_env)
                if (pair.starts_with(name + "=")) out[name] = pair.substr(name.size() + 1);
        }
    }
    return out;
}

}  // namespace compose::engine
