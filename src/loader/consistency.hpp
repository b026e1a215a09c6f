// The parts of check_consistency(). Each looks at canonical values only and reports every mistake once.
#pragma once

#include <compose/diagnostics.hpp>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "loader/path_pattern.hpp"
#include "model/node.hpp"

namespace compose {

/// Finds entries of a big mapping by key.
class KeyIndex {
public:
    explicit KeyIndex(const Node* map) {
        if (map == nullptr) return;
        for (const auto& entry : map->entries) entries_.emplace(entry.key, &entry);
    }
    [[nodiscard]] const Node::Entry* find(std::string_view key) const {
        const auto at = entries_.find(key);
        return at == entries_.end() ? nullptr : at->second;
    }
    /// The key nearest to `word`, or empty.
    [[nodiscard]] std::string_view near(std::string_view word) const;

private:
    std::unordered_map<std::string_view, const Node::Entry*> entries_;
};

/// Names that services may refer to.
struct ProjectIndex {
    KeyIndex services, disabled, networks, volumes, secrets, configs, models;
};

/// References to services and resources, and cycles of dependencies.
void check_references(const Node& service, const PathFrame& path, const ProjectIndex& index, Diagnostics& findings);
/// A name that two services give their container.
void check_container_names(const Node& services, const PathFrame& path, Diagnostics& findings);
void check_cycles(const Node& services, const PathFrame& path, Diagnostics& findings);
/// Attributes of one service that exclude or need each other.
void check_service(const Node::Entry& service, const PathFrame& path, Diagnostics& findings);
/// Networks, volumes, secrets and configs.
void check_resources(const Node& root, const std::set<std::string>& faulty, Diagnostics& findings);

}  // namespace compose
