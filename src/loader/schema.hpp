// The compiled form of schemas/compose.json: what the validator and the canonical typing of scalars walk beside a tree.
// Compiled once, on first use, so that commands which load no file don't pay for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "loader/units_bind.hpp"
#include "model/node.hpp"

namespace compose {

struct Schema {
    enum class Extra : std::uint8_t { allowed, forbidden };

    std::uint8_t kinds = 0;  // bits by Node::Kind; 0: any
    ScalarType scalar = ScalarType::any;
    bool unique = false;
    Extra extra = Extra::allowed;
    std::optional<std::int64_t> minimum;
    std::optional<std::int64_t> maximum;
    const Schema* items = nullptr;
    const Schema* additional = nullptr;  // of keys that no property names
    const Schema* named = nullptr;       // of keys that are names: letters, digits, . _ and -
    std::vector<std::pair<std::string_view, const Schema*>> properties;  // sorted
    std::vector<std::string_view> required;
    std::vector<std::string_view> values;  // of an enum
    std::vector<const Schema*> branches;   // of oneOf; at most one fits a kind of node
    std::string_view hint;

    [[nodiscard]] const Schema* property(std::string_view key) const;
    /// The schema that `key` of a mapping has; null when nothing is said about it (extensions).
    [[nodiscard]] const Schema* child(std::string_view key) const;
    [[nodiscard]] bool takes(Node::Kind kind) const;
    /// Follows oneOf to the branch for this kind of node; null when none takes it.
    [[nodiscard]] const Schema* branch_for(Node::Kind kind) const;
};

/// Of a whole Compose file.
[[nodiscard]] const Schema& compiled_schema();

}  // namespace compose
