// After the merge: what a missing attribute means, as far as `config` shows it, and removal of attributes that say
// nothing, so that the same project always has the same tree and the same hash.
#include <algorithm>
#include <array>

#include "loader/schema.hpp"
#include "loader/stages.hpp"
#include "loader/tree_edit.hpp"

namespace compose {

namespace {

// An empty value of these says something: cleared, or a choice against the default.
constexpr std::array<std::string_view, 3> kEmptyMatters{"command", "entrypoint", "services"};
constexpr std::array<std::string_view, 6> kFalseMatters{"attach", "create_host_path", "enable_ipv4", "enable_ipv6",
                                                        "init",   "required"};
constexpr std::array<std::string_view, 12> kZeroMatters{"count",       "hard",        "max_attempts", "mode",
                                                        "parallelism", "per_replica", "rate",         "replicas",
                                                        "retries",     "scale",       "soft",         "value"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& list, std::string_view key) {
    return std::find(list.begin(), list.end(), key) != list.end();
}

bool says_nothing(std::string_view key, const Node& value, const Schema& schema) {
    switch (value.kind) {
        case Node::Kind::null:
            return true;
        case Node::Kind::boolean:
            return !value.boolean && !contains(kFalseMatters, key);
        case Node::Kind::integer:
            return value.integer == 0 && !contains(kZeroMatters, key);
        case Node::Kind::real:
            return false;
        case Node::Kind::string:
            return value.text.empty() ||
                   (schema.scalar == ScalarType::bytes && value.text == "0" && !contains(kZeroMatters, key));
        case Node::Kind::sequence:
            return value.items.empty() && !contains(kEmptyMatters, key);
        case Node::Kind::mapping:
            return value.entries.empty() && !contains(kEmptyMatters, key);
    }
    return false;
}

// Only mappings with fixed attributes lose entries; the keys of free ones (environment, labels) are data.
void prune(Node& node, const Schema& schema) {
    const auto* branch = schema.branch_for(node.kind);
    if (branch == nullptr) return;
    if (node.is_sequence() && branch->items != nullptr)
        for (auto& item : node.items) prune(item, *branch->items);
    if (!node.is_mapping()) return;
    for (auto& entry : node.entries)
        if (const auto* child = branch->child(entry.key)) prune(entry.value, *child);
    if (branch->properties.empty()) return;
    std::erase_if(node.entries, [&](const Node::Entry& entry) {
        const auto* child = branch->property(entry.key);
        if (child == nullptr) return false;
        const auto* own = child->branch_for(entry.value.kind);
        return says_nothing(entry.key, entry.value, own == nullptr ? *child : *own);
    });
}

void default_device_counts(Node* requests) {
    if (requests == nullptr) return;
    for (auto& request : requests->items)
        if (request.is_mapping() && request.find("count") == nullptr && request.find("device_ids") == nullptr)
            put_missing(request, "count", Node::make_int(-1, request.pos), request.pos);
}

void default_service(Node& service) {
    if (auto* build = service.find("build"); build != nullptr && build->is_mapping())
        put_missing(*build, "context", Node::make_string(".", build->pos), build->pos);
    if (auto* secrets = service.find("secrets"))
        for (auto& grant : secrets->items)
            if (const auto source = std::string(text_of(grant, "source")); !source.empty())
                put_missing(grant, "target", Node::make_string("/run/secrets/" + source, grant.pos), grant.pos);
    default_device_counts(service.find("gpus"));
    Node* devices = &service;
    for (const char* key : {"deploy", "resources", "reservations", "devices"})
        devices = devices == nullptr ? nullptr : devices->find(key);
    default_device_counts(devices);
}

}  // namespace

void set_defaults(Node& root, Diagnostics&) {
    if (!root.is_mapping()) return;
    put_missing(root, "services", Node::make_mapping(root.pos), root.pos);
    for (const char* section : {"networks", "volumes", "secrets", "configs"})
        if (auto* resources = root.find(section))
            for (auto& entry : resources->entries)
                if (entry.value.is_null()) entry.value = Node::make_mapping(entry.key_pos);
    for (auto& entry : root.find("services")->entries) {
        if (entry.value.is_null()) entry.value = Node::make_mapping(entry.key_pos);
        if (entry.value.is_mapping()) default_service(entry.value);
    }
    prune(root, compiled_schema());
}

}  // namespace compose
