// Small steps that several stages take on a tree.
#pragma once

#include <string_view>
#include <utility>

#include "model/node.hpp"

namespace compose {

/// The mapping or sequence under `key`, or an empty one that outlives everything.
[[nodiscard]] inline const Node& child_or_empty(const Node& map, std::string_view key) {
    static const Node empty;
    const auto* found = map.find(key);
    return found == nullptr ? empty : *found;
}

/// The text under `key`, or empty.
[[nodiscard]] inline std::string_view text_of(const Node& map, std::string_view key) {
    const auto* found = map.find(key);
    return found != nullptr && found->is_string() ? std::string_view(found->text) : std::string_view();
}

/// The place of the key, or of the whole mapping when it has none.
[[nodiscard]] inline SourcePos key_pos_of(const Node& map, std::string_view key) {
    const auto* entry = map.find_entry(key);
    return entry == nullptr ? map.pos : entry->key_pos;
}

/// Sets `key` where it is missing or null.
inline void put_missing(Node& map, std::string_view key, Node value, SourcePos pos) {
    auto& slot = map.at_or_insert(key, pos);
    if (slot.is_null() && slot.tag != Node::Tag::reset) slot = std::move(value);
}

/// Keys are printed in paths and become names of variables and labels: they must not hold any.
[[nodiscard]] inline bool has_control_character(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

}  // namespace compose
