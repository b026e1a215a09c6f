#include "cli/log_details.hpp"

#include <functional>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "base/template.hpp"
#include "cli/filters.hpp"

namespace compose::cli {

namespace {

using Texts = std::map<std::string, std::string>;

Texts options_of(const ContainerDetails& container) {
    Texts out;
    if (container.request_json.empty()) return out;
    const json::value parsed = parse_json(container.request_json);
    const json::value* inside = &parsed;
    for (const char* key : {"HostConfig", "LogConfig", "Config"}) {
        const json::object* const object = inside->if_object();
        inside = object == nullptr ? nullptr : object->if_contains(key);
        if (inside == nullptr) return out;
    }
    if (const json::object* const object = inside->if_object())
        for (const auto& [key, value] : *object)
            if (value.is_string()) out[key] = value.get_string();
    return out;
}

/// Those that `list`, names with commas between them, or the regular expression `pattern` chooses.
void choose(const Texts& from, const std::string& list, const std::string& pattern, Texts& out) {
    for (const auto& name : split(list, ','))
        if (const auto found = from.find(std::string(trim(name))); found != from.end()) out.insert(*found);
    if (pattern.empty()) return;
    for (const auto& pair : from)
        if (matches(pattern, pair.first)) out.insert(pair);
}

std::string tag_of(const ContainerDetails& container, const std::string& format) {
    const auto& view = container.view;
    const auto image = container.image_id.substr(container.image_id.find(':') + 1);
    const json::object object{{"ID", short_id(view.id)},
                              {"FullID", view.id},
                              {"Name", view.name},
                              {"ImageID", short_id(image)},
                              {"ImageFullID", container.image_id},
                              {"ImageName", view.image},
                              {"DaemonName", "docker"}};
    return Template(format).render(object);
}

/// What would end a detail early.
std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text)
        if (c == ',' || c == '=' || c == '%' || c == ' ' || static_cast<unsigned char>(c) < 0x20)
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        else
            out += c;
    return out;
}

}  // namespace

std::string log_details(const ContainerDetails& container) {
    auto options = options_of(container);
    Texts environment, chosen;
    for (const auto& text : container.environment) {
        const auto equals = text.find('=');
        if (equals != std::string::npos) environment[text.substr(0, equals)] = text.substr(equals + 1);
    }
    choose(container.view.labels, options["labels"], options["labels-regex"], chosen);
    choose(environment, options["env"], options["env-regex"], chosen);
    if (!options["tag"].empty()) chosen["tag"] = tag_of(container, options["tag"]);
    std::string out;
    for (const auto& [key, value] : chosen) out += (out.empty() ? "" : ",") + escaped(key) + "=" + escaped(value);
    return out;
}

}  // namespace compose::cli
