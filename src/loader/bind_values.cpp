#include "loader/bind_values.hpp"

#include <algorithm>

#include "base/units.hpp"
#include "loader/tree_edit.hpp"
#include "loader/units_bind.hpp"

namespace compose {

std::map<std::string, std::string> bind_texts(const Node* map) {
    std::map<std::string, std::string> out;
    if (map == nullptr) return out;
    for (const auto& entry : map->entries) out[entry.key] = scalar_text(entry.value);
    return out;
}

std::map<std::string, std::optional<std::string>> bind_variables(const Node* map) {
    std::map<std::string, std::optional<std::string>> out;
    if (map == nullptr) return out;
    for (const auto& entry : map->entries)
        out[entry.key] = entry.value.is_null() ? std::nullopt : std::optional(scalar_text(entry.value));
    return out;
}

std::vector<std::string> bind_list(const Node* list) {
    std::vector<std::string> out;
    if (list == nullptr) return out;
    out.reserve(list->items.size());
    for (const auto& item : list->items) out.push_back(scalar_text(item));
    return out;
}

bool bind_flag(const Node& map, std::string_view key, bool fallback) {
    const auto* node = map.find(key);
    return node == nullptr ? fallback : boolean_of(*node).value_or(fallback);
}

int bind_int(const Node& map, std::string_view key, int fallback) {
    const auto value = bind_integer(map, key);
    return value ? static_cast<int>(std::clamp<std::int64_t>(*value, INT32_MIN, INT32_MAX)) : fallback;
}

std::optional<std::int64_t> bind_integer(const Node& map, std::string_view key) {
    const auto* node = map.find(key);
    return node == nullptr ? std::nullopt : integer_of(*node);
}

std::optional<std::int64_t> bind_bytes(const Node& map, std::string_view key) {
    const auto* node = map.find(key);
    return node == nullptr ? std::nullopt : bytes_of(*node);
}

std::optional<Nanoseconds> bind_duration(const Node& map, std::string_view key) {
    return parse_duration(text_of(map, key));
}

std::map<std::string, std::vector<std::string>> bind_hosts(const Node* list) {
    std::map<std::string, std::vector<std::string>> out;
    if (list == nullptr) return out;
    for (const auto& item : list->items) {
        const auto equals = item.text.find('=');
        if (equals != std::string::npos) out[item.text.substr(0, equals)].push_back(item.text.substr(equals + 1));
    }
    return out;
}

std::map<std::string, std::pair<std::int64_t, std::int64_t>> bind_ulimits(const Node* map) {
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> out;
    if (map == nullptr) return out;
    for (const auto& [key, pos, value] : map->entries) {
        if (value.is_mapping()) {
            out[key] = {bind_integer(value, "soft").value_or(0), bind_integer(value, "hard").value_or(0)};
        } else {
            const auto both = integer_of(value).value_or(0);
            out[key] = {both, both};
        }
    }
    return out;
}

}  // namespace compose
