#include "engine/change_text.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"

namespace compose::engine {
namespace {

using Kind = PlannedChange::Kind;
constexpr std::size_t kLongest = 120;
constexpr const char* kUnknown = "its variables are unknown until then";
constexpr const char* kMayChange = "replaced if other variables come than it has";

bool is_secret(const std::string& path) {
    const std::string name = lower(path.substr(path.rfind('.') + 1));
    for (const char* word : {"password", "passwd", "secret", "token", "credential", "private_key", "api_key"})
        if (name.find(word) != std::string::npos) return true;
    return false;
}

bool has_only(const json::object& object, std::initializer_list<std::string_view> keys) {
    return std::all_of(object.begin(), object.end(), [&](const auto& member) {
        return std::find(keys.begin(), keys.end(), std::string_view(member.key())) != keys.end();
    });
}

/// The members that are there, as text, with colons between.
std::string joined(const json::object& object, std::initializer_list<const char*> keys) {
    std::vector<std::string> parts;
    for (const char* key : keys)
        if (const json::value* found = object.if_contains(key); found != nullptr)
            parts.push_back(found->is_string() ? std::string(found->get_string()) : json::serialize(*found));
    return join(parts, ":");
}

/// A port or a mount as people write it; nothing for one that has more to say than the short form can.
std::optional<std::string> short_form(const std::string& path, const json::value& value) {
    if (!value.is_object()) return std::nullopt;
    const json::object& object = value.get_object();
    if (path == "ports" && has_only(object, {"mode", "host_ip", "published", "target", "protocol"}))
        return joined(object, {"host_ip", "published", "target"}) + "/" + string_or(object, "protocol");
    if (path != "volumes" || !has_only(object, {"type", "source", "target", "read_only", "bind", "volume"}))
        return std::nullopt;
    for (const char* key : {"bind", "volume"})
        if (const auto* options = object.if_contains(key); options != nullptr && options->is_object())
            if (!has_only(options->get_object(), {"create_host_path"})) return std::nullopt;
    return joined(object, {"source", "target"}) + (bool_or(object, "read_only", false) ? ":ro" : "");
}

std::string shown(const std::string& path, const json::value& value) {
    if (is_secret(path)) return "(hidden)";
    std::string text = short_form(path, value).value_or(json::serialize(value));
    if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
    return text;
}

/// A list whose items say something only together.
bool is_command(std::string_view path) {
    const auto key = path.substr(path.rfind('.') + 1);
    return key == "command" || key == "entrypoint" || key == "test";
}

void compare(const std::string& path, const json::value& before, const json::value& after,
             std::vector<std::string>& out) {
    if (before == after) return;
    const auto below = [&](std::string_view key) {
        return path.empty() ? std::string(key) : path + "." + std::string(key);
    };
    if (before.is_object() && after.is_object()) {
        for (const auto& [key, value] : before.as_object()) {
            const json::value* other = after.as_object().if_contains(key);
            if (other != nullptr)
                compare(below(key), value, *other, out);
            else
                out.push_back(below(key) + ": removed (was " + shown(below(key), value) + ")");
        }
        for (const auto& [key, value] : after.as_object())
            if (!before.as_object().contains(key)) out.push_back(below(key) + ": added " + shown(below(key), value));
        return;
    }
    if (before.is_array() && after.is_array() && !is_command(path)) {
        const auto& a = before.as_array();
        const auto& b = after.as_array();
        const auto in = [](const json::array& list, const json::value& value) {
            return std::find(list.begin(), list.end(), value) != list.end();
        };
        std::vector<std::string> gone, come;
        for (const auto& value : a)
            if (!in(b, value)) gone.push_back(shown(path, value));
        for (const auto& value : b)
            if (!in(a, value)) come.push_back(shown(path, value));
        if (gone.size() == 1 && come.size() == 1 && gone != come)
            return out.push_back(path + ": " + gone[0] + " -> " + come[0]);
        for (const auto& text : gone) out.push_back(path + ": removed " + text);
        for (const auto& text : come) out.push_back(path + ": added " + text);
        if (gone.empty() && come.empty()) out.push_back(path + ": in another order");
        return;
    }
    out.push_back(path + ": " + shown(path, before) + " -> " + shown(path, after));
}

const json::value* find_value(json::value& tree, std::string_view group, std::string_view key) {
    json::value* members = tree.as_object().if_contains(group);
    return members != nullptr && members->is_object() ? members->get_object().if_contains(key) : nullptr;
}

void erase_value(json::value& tree, std::string_view group, std::string_view key) {
    if (json::value* members = tree.as_object().if_contains(group); members != nullptr && members->is_object())
        members->get_object().erase(key);
}

/// Takes what comes from files out of both, and says what of it changed: by name alone, since such files hold what is
/// not for everybody's eyes.
std::vector<std::string> take_values_of_files(json::value& old_tree, const Described& before, json::value& new_tree,
                                              const Described& after) {
    std::map<std::string, std::string> files = after.value_files;
    files.insert(before.value_files.begin(), before.value_files.end());
    std::vector<std::string> out;
    for (const auto& [path, file] : files) {
        const auto dot = path.find('.');
        const std::string group = path.substr(0, dot), key = path.substr(dot + 1);
        const json::value* was = find_value(old_tree, group, key);
        const json::value* is = find_value(new_tree, group, key);
        if (is != nullptr && !after.value_files.contains(path)) continue;  // the Compose file says it by now
        const bool same = was == is || (was != nullptr && is != nullptr && *was == *is);
        const char* verb = was == nullptr ? "added" : is == nullptr ? "removed" : "changed";
        const char* attribute = group == "labels" ? "label_file" : "env_file";
        if (!same) out.push_back(std::string(attribute) + " " + file + ": " + key + " " + verb);
        erase_value(old_tree, group, key);
        erase_value(new_tree, group, key);
    }
    return out;
}

std::vector<std::string> why_replaced(const CreateContainer& action, const std::string& cause, const Project& project,
                                      const ObservedState& observed, const store::Store& store) {
    const auto old = std::find_if(observed.containers.begin(), observed.containers.end(),
                                  [&](const ObservedContainer& c) { return c.name == action.replaces; });
    if (old == observed.containers.end()) return {};
    const Service& service = project.services.at(action.service);
    if (cause == "image changed") {
        const auto image = observed.images.find(service.image);
        if (image == observed.images.end()) return {};
        const auto digits = [](const std::string& id) { return std::string(short_id(id.substr(id.find(':') + 1))); };
        return {"image " + service.image + ": " + digits(old->image_id) + " -> " + digits(image->second.id)};
    }
    if (base_hash(old->config_hash) == base_hash(service.config_hash)) return {};
    const store::ContainerTexts texts = store.container_texts(old->id);
    if (texts.definition.empty()) return {};
    return differences({texts.definition, texts.contents, texts.value_files},
                       {service.definition, service.contents, service.value_files});
}

std::vector<std::string> why_changed(const std::string& key, const Project& project, const ObservedState& observed) {
    const Network& network = project.networks.at(key);
    const auto there = observed.networks.find(network.name);
    if (there == observed.networks.end() || there->second.definition.empty() || network.definition.empty()) return {};
    return differences({there->second.definition}, {network.definition});
}

}  // namespace

std::vector<std::string> differences(const Described& before, const Described& after) {
    std::vector<std::string> out;
    json::value old_tree = parse_json(before.definition), new_tree = parse_json(after.definition);
    for (json::value* tree : {&old_tree, &new_tree})  // so that what comes and goes is told one by one
        for (const char* group : {"environment", "labels"}) tree->as_object().emplace(group, json::object{});
    auto from_files = take_values_of_files(old_tree, before, new_tree, after);
    compare("", old_tree, new_tree, out);
    out.insert(out.end(), from_files.begin(), from_files.end());
    // What came or went with its grant is said there.
    for (const auto& [what, digest] : after.contents)
        if (const auto old = before.contents.find(what); old != before.contents.end() && old->second != digest)
            out.push_back(what + ": content changed");
    return out;
}

std::vector<PlannedChange> describe_plan(const Plan& plan, const Project& project, const ObservedState& observed,
                                         const store::Store& store) {
    std::vector<PlannedChange> out;
    std::set<std::string> made;
    for (const Plan::Node& node : plan.nodes) {
        if (const auto* network = std::get_if<CreateNetwork>(&node.action)) {
            out.push_back({Kind::create, "Network " + network->name, node.cause, {}});
        } else if (const auto* gone = std::get_if<RemoveNetwork>(&node.action)) {
            out.push_back({Kind::remove, "Network " + gone->name, node.cause, {}});
        } else if (const auto* anew = std::get_if<RecreateNetwork>(&node.action)) {
            out.push_back(
                {Kind::replace, "Network " + anew->name, node.cause, why_changed(anew->key, project, observed)});
        } else if (const auto* update = std::get_if<UpdateNetwork>(&node.action)) {
            out.push_back(
                {Kind::update, "Network " + update->name, node.cause, why_changed(update->key, project, observed)});
        } else if (const auto* volume = std::get_if<CreateVolume>(&node.action)) {
            out.push_back({Kind::create, "Volume " + volume->name, node.cause, {}});
        } else if (const auto* create = std::get_if<CreateContainer>(&node.action)) {
            made.insert(create->name);
            const bool replaces = !create->replaces.empty();
            out.push_back(
                {replaces ? Kind::replace : Kind::create, "Container " + create->name, node.cause,
                 replaces ? why_replaced(*create, node.cause, project, observed, store) : std::vector<std::string>{}});
        } else if (const auto* provider = std::get_if<RunProvider>(&node.action)) {
            out.push_back({Kind::ask, "Provider " + provider->service, kUnknown, {}});
        } else if (const auto* model = std::get_if<PrepareModel>(&node.action)) {
            out.push_back({Kind::ask, "Model " + model->key, kUnknown, {}});
        } else if (const auto* checked = std::get_if<CheckVariables>(&node.action)) {
            out.push_back({Kind::compare, "Container " + checked->container.name, kMayChange, {}});
        } else if (const auto* remove = std::get_if<RemoveContainer>(&node.action)) {
            if (!remove->replaced || !node.cause.empty())
                out.push_back({Kind::remove, "Container " + remove->container.name, node.cause, {}});
        } else if (const auto* start = std::get_if<StartContainer>(&node.action)) {
            if (!made.contains(start->container.name))
                out.push_back({node.cause.empty() ? Kind::start : Kind::restart,
                               "Container " + start->container.name,
                               node.cause,
                               {}});
        }
    }
    return out;
}

}  // namespace compose::engine
