// What the whole project implies: the default network, dependencies that other attributes bring, names of resources.
#include <array>

#include "loader/stages.hpp"
#include "loader/tree_edit.hpp"
#include "model/names.hpp"

namespace compose {

namespace {

void join_default_network(Node& service) {
    if (service.find("network_mode") != nullptr || service.find("networks") != nullptr ||
        service.find("provider") != nullptr)
        return;
    Node networks = Node::make_mapping(service.pos);
    networks.entries.push_back({"default", service.pos, Node{}});
    networks.entries.back().value.pos = service.pos;
    put_missing(service, "networks", std::move(networks), service.pos);
}

void depend(Node& service, std::string_view other, bool restart, SourcePos pos) {
    put_missing(service, "depends_on", Node::make_mapping(pos), pos);
    auto* depends_on = service.find("depends_on");
    if (!depends_on->is_mapping() || depends_on->find(other) != nullptr) return;
    Node how = Node::make_mapping(pos);
    put_missing(how, "condition", Node::make_string("service_started", pos), pos);
    put_missing(how, "required", Node::make_bool(true, pos), pos);
    if (restart) put_missing(how, "restart", Node::make_bool(true, pos), pos);
    put_missing(*depends_on, other, std::move(how), pos);
}

void add_implied_dependencies(Node& service) {
    const auto texts = [&](const char* key) { return child_or_empty(service, key).items; };
    for (const auto& link : texts("links"))
        if (link.is_string()) depend(service, link.text.substr(0, link.text.find(':')), true, link.pos);
    for (const char* key : {"network_mode", "ipc", "pid", "cgroup"}) {
        const auto mode = text_of(service, key);
        if (mode.starts_with("service:")) depend(service, std::string(mode.substr(8)), true, service.find(key)->pos);
    }
    for (const auto& from : texts("volumes_from"))
        if (from.is_string() && !from.text.starts_with("container:"))
            depend(service, from.text.substr(0, from.text.find(':')), false, from.pos);
}

void normalize_service(Node& service) {
    join_default_network(service);
    add_implied_dependencies(service);
    if (auto* build = service.find("build"); build != nullptr && build->is_mapping()) {
        if (build->find("dockerfile_inline") == nullptr)
            put_missing(*build, "dockerfile", Node::make_string("Dockerfile", build->pos), build->pos);
        if (auto* args = build->find("args")) {
            std::erase_if(args->entries, [](const Node::Entry& arg) { return arg.value.is_null(); });
            if (args->entries.empty()) build->erase("args");
        }
    }
    if (auto* policy = service.find("pull_policy"); policy != nullptr && policy->text == "if_not_present")
        policy->text = "missing";
    if (auto* hooks = service.find("pre_start"))
        for (auto& hook : hooks->items)
            if (hook.is_mapping() && !text_of(service, "image").empty())
                put_missing(hook, "image", Node::make_string(std::string(text_of(service, "image")), hook.pos),
                            hook.pos);
}

void name_resources(Node& root, const std::string& project) {
    for (const char* section : {"networks", "volumes", "secrets", "configs"}) {
        auto* resources = root.find(section);
        if (resources == nullptr) continue;
        for (auto& [key, pos, value] : resources->entries) {
            if (!value.is_mapping()) continue;
            const auto* external = value.find("external");
            const bool foreign = external != nullptr && external->boolean;
            put_missing(value, "name", Node::make_string(foreign ? key : resource_name(project, key), pos), pos);
        }
    }
}

}  // namespace

void normalize(Node& root, const std::string& project_name, Diagnostics&) {
    auto* services = root.find("services");
    if (services == nullptr) return;
    bool default_used = false;
    SourcePos used_at;
    for (auto& entry : services->entries) {
        if (!entry.value.is_mapping()) continue;
        normalize_service(entry.value);
        if (child_or_empty(entry.value, "networks").find("default") == nullptr || default_used) continue;
        default_used = true;
        used_at = entry.key_pos;
    }
    if (default_used) {
        put_missing(root, "networks", Node::make_mapping(used_at), used_at);
        put_missing(*root.find("networks"), "default", Node::make_mapping(used_at), used_at);
    }
    name_resources(root, project_name);
}

}  // namespace compose
