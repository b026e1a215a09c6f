#include "loader/selection.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/strings.hpp"

namespace compose {

namespace {

const Node* mapping_at(const Node& root, std::string_view key) {
    const auto* found = root.find(key);
    return found != nullptr && found->is_mapping() ? found : nullptr;
}

bool is_enabled(const Node& service, const std::vector<std::string>& profiles) {
    const auto* wanted = service.find("profiles");
    if (wanted == nullptr || wanted->items.empty()) return true;
    const auto active = [&](std::string_view name) {
        return std::find(profiles.begin(), profiles.end(), name) != profiles.end();
    };
    return active("*") ||
           std::any_of(wanted->items.begin(), wanted->items.end(), [&](const Node& item) { return active(item.text); });
}

void report_unknown(const Node& services, const std::string& name, Diagnostics& findings) {
    std::vector<std::string_view> names;
    for (const auto& entry : services.entries) names.push_back(entry.key);
    const auto near = nearest(name, names);
    findings.error({}, "", fmt::format("no such service: {}", name),
                   near.empty() ? "" : fmt::format("did you mean {}?", near));
}

}  // namespace

std::set<std::string> active_services(const Node& root, const LoadRequest& request,
                                      const std::vector<std::string>& profiles, Diagnostics& findings) {
    static const Node kNone = Node::make_mapping({});
    const auto* found = mapping_at(root, "services");
    const auto& services = found == nullptr ? kNone : *found;
    std::set<std::string> active;
    for (const auto& entry : services.entries)
        if (is_enabled(entry.value, profiles)) active.insert(entry.key);
    std::set<std::string_view> known;
    for (const auto& entry : services.entries) known.insert(entry.key);
    for (const auto& name : request.selected_services) {
        if (known.contains(name))
            active.insert(name);
        else
            report_unknown(services, name, findings);
    }
    return active;
}

std::set<std::string> with_dependencies(const Node& root, const std::vector<std::string>& services) {
    std::set<std::string> out;
    const auto* all = mapping_at(root, "services");
    if (all == nullptr) return out;
    auto waiting = services;
    while (!waiting.empty()) {
        const auto name = std::move(waiting.back());
        waiting.pop_back();
        const auto* service = all->find(name);
        if (service == nullptr || !out.insert(name).second) continue;
        if (const auto* needs = mapping_at(*service, "depends_on"))
            for (const auto& entry : needs->entries) waiting.push_back(entry.key);
    }
    return out;
}

Node split_services(Node& root, const std::set<std::string>& active) {
    Node out = Node::make_mapping({});
    auto* services = root.find("services");
    if (services == nullptr || !services->is_mapping()) return out;
    std::vector<Node::Entry> kept;
    for (auto& entry : services->entries) (active.contains(entry.key) ? kept : out.entries).push_back(std::move(entry));
    services->entries = std::move(kept);
    return out;
}

namespace {

/// Names of one kind of resource that a service uses.
using Used = std::set<std::string>;

void add_names(const Node& service, std::string_view attribute, std::string_view field, Used& used) {
    const auto* list = service.find(attribute);
    if (list == nullptr) return;
    for (const auto& entry : list->entries) used.insert(entry.key);
    for (const auto& item : list->items) {
        const auto* name = item.is_mapping() ? item.find(field) : &item;
        if (name != nullptr && name->is_string()) used.insert(name->text);
    }
}

void keep_only(Node& root, std::string_view section, const Used& used) {
    auto* resources = root.find(section);
    if (resources == nullptr || !resources->is_mapping()) return;
    std::erase_if(resources->entries, [&](const Node::Entry& entry) {
        return !used.contains(entry.key) && !(section == "networks" && entry.key.starts_with("x-"));
    });
    if (resources->entries.empty()) root.erase(section);
}

}  // namespace

void remove_unused_resources(Node& root) {
    Used networks;
    Used volumes;
    Used configs;
    Used secrets;
    Used models;
    if (const auto* services = mapping_at(root, "services")) {
        for (const auto& entry : services->entries) {
            add_names(entry.value, "networks", "name", networks);
            add_names(entry.value, "volumes", "source", volumes);
            add_names(entry.value, "configs", "source", configs);
            add_names(entry.value, "secrets", "source", secrets);
            add_names(entry.value, "models", "name", models);
            if (const auto* build = entry.value.find("build")) add_names(*build, "secrets", "source", secrets);
        }
    }
    keep_only(root, "networks", networks);
    keep_only(root, "volumes", volumes);
    keep_only(root, "configs", configs);
    keep_only(root, "secrets", secrets);
    keep_only(root, "models", models);
}

}  // namespace compose
