// What `compose config` prints of a loaded project.
#include <algorithm>
#include <compose/config.hpp>
#include <set>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "model/canonical.hpp"
#include "model/config_hash.hpp"
#include "model/names.hpp"
#include "model/node.hpp"

namespace compose {

namespace {

const Node& section(const LoadedProject& loaded, std::string_view name) {
    static const Node empty;
    const auto* found = loaded.tree ? loaded.tree->root.find(name) : nullptr;
    return found == nullptr ? empty : *found;
}

Node node_of(const json::value& value) {
    Node node;
    if (const auto* object = value.if_object()) {
        node = Node::make_mapping({});
        for (const auto& [key, item] : *object) node.entries.push_back({key, {}, node_of(item)});
    } else if (const auto* list = value.if_array()) {
        node = Node::make_sequence({});
        for (const auto& item : *list) node.items.push_back(node_of(item));
    } else if (const auto* text = value.if_string()) {
        node = Node::make_string(std::string(*text), {});
    } else if (const auto* truth = value.if_bool()) {
        node = Node::make_bool(*truth, {});
    } else if (value.is_double()) {
        node.kind = Node::Kind::real;
        node.real = value.get_double();
    } else if (value.is_number()) {
        node = Node::make_int(value.to_number<std::int64_t>(), {});
    }
    return node;
}

std::vector<std::string> sorted_keys(const Node& map) {
    std::vector<std::string> out;
    for (const auto& entry : map.entries) out.push_back(entry.key);
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace

ConfigFormat parse_config_format(std::string_view text) {
    if (text == "yaml") return ConfigFormat::yaml;
    if (text == "json") return ConfigFormat::json;
    throw make_error(ErrorKind::usage, "{} is not an output format: use yaml or json", quote(text));
}

std::string render_config(const LoadedProject& loaded, ConfigFormat format, bool interpolated) {
    static const Node empty = Node::make_mapping({});
    RenderOptions options;
    options.double_dollars = interpolated;
    options.top_first = {"name", "services", "networks", "volumes", "configs", "secrets", "models"};
    const Node& root = loaded.tree ? loaded.tree->root : empty;
    return format == ConfigFormat::json ? render_json(root, options) + "\n" : render_yaml(root, options);
}

std::string render_model(std::string_view json_text, ConfigFormat format) {
    LoadedProject loaded;
    loaded.tree = std::make_shared<ConfigTree>(ConfigTree{node_of(parse_json(json_text))});
    return render_config(loaded, format);
}

LoadedProject with_images(const LoadedProject& loaded, const std::map<std::string, std::string>& images) {
    auto tree = std::make_shared<ConfigTree>(loaded.tree ? *loaded.tree : ConfigTree{});
    if (auto* services = tree->root.find("services"))
        for (auto& [key, pos, service] : services->entries)
            if (const auto image = images.find(key); image != images.end())
                service.at_or_insert("image", pos) = Node::make_string(image->second, pos);
    auto out = loaded;
    for (auto& [name, service] : out.project.services)
        if (const auto image = images.find(name); image != images.end()) service.image = image->second;
    out.tree = std::move(tree);
    return out;
}

LoadedProject only_images(const LoadedProject& loaded) {
    auto tree = std::make_shared<ConfigTree>();
    tree->root = Node::make_mapping({});
    Node services = Node::make_mapping({});
    for (const auto& [key, pos, service] : section(loaded, "services").entries) {
        const auto* image = service.find("image");
        if (image == nullptr) continue;
        Node only = Node::make_mapping(pos);
        only.entries.push_back({"image", pos, *image});
        services.entries.push_back({key, pos, std::move(only)});
    }
    tree->root.entries.push_back({"services", {}, std::move(services)});
    LoadedProject out;
    out.tree = std::move(tree);
    return out;
}

std::vector<std::string> config_services(const LoadedProject& loaded) {
    return sorted_keys(section(loaded, "services"));
}
std::vector<std::string> config_networks(const LoadedProject& loaded) {
    return sorted_keys(section(loaded, "networks"));
}
std::vector<std::string> config_volumes(const LoadedProject& loaded) {
    return sorted_keys(section(loaded, "volumes"));
}
std::vector<std::string> config_models(const LoadedProject& loaded) {
    return sorted_keys(section(loaded, "models"));
}

std::vector<std::string> config_images(const LoadedProject& loaded) {
    std::set<std::string> out;
    for (const auto& [key, pos, service] : section(loaded, "services").entries) {
        const auto* image = service.find("image");
        if (image != nullptr && image->is_string()) {
            out.insert(image->text);
        } else if (service.find("build") != nullptr) {
            out.insert(built_image_name(loaded.project.name, key));
        }
    }
    return {out.begin(), out.end()};
}

std::vector<std::string> config_profiles(const LoadedProject& loaded) {
    std::set<std::string> out;
    for (const auto& entry : section(loaded, "services").entries)
        if (const auto* profiles = entry.value.find("profiles"))
            for (const auto& profile : profiles->items) out.insert(profile.text);
    for (const auto& [name, service] : loaded.project.disabled_services)
        out.insert(service.profiles.begin(), service.profiles.end());
    return {out.begin(), out.end()};
}

std::vector<std::string> config_environment(const LoadedProject& loaded) {
    std::vector<std::string> out;
    for (const auto& [key, value] : loaded.environment) out.push_back(key + "=" + value);
    return out;
}

std::vector<std::pair<std::string, std::string>> config_hashes(const LoadedProject& loaded, std::string_view selector) {
    std::vector<std::pair<std::string, std::string>> out;
    const auto& services = section(loaded, "services");
    auto names = selector == "*" ? sorted_keys(services) : split(selector, ',');
    std::sort(names.begin(), names.end());
    for (const auto& name : names) {
        const auto* service = services.find(name);
        if (service == nullptr) throw make_error(ErrorKind::not_found, "no such service: {}", name);
        out.emplace_back(name, service_hash(*service));
    }
    return out;
}

}  // namespace compose
