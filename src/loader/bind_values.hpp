// Typed reads of a canonical mapping. Values were checked by the stages before: what is missing or of another type
// gives nothing, or the fallback.
#pragma once

#include <compose/service_parts.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/node.hpp"

namespace compose {

/// A mapping of texts.
[[nodiscard]] std::map<std::string, std::string> bind_texts(const Node* map);
/// A mapping of texts where a key alone means something too.
[[nodiscard]] std::map<std::string, std::optional<std::string>> bind_variables(const Node* map);
/// A list of texts.
[[nodiscard]] std::vector<std::string> bind_list(const Node* list);
[[nodiscard]] bool bind_flag(const Node& map, std::string_view key, bool fallback = false);
[[nodiscard]] int bind_int(const Node& map, std::string_view key, int fallback);
[[nodiscard]] std::optional<std::int64_t> bind_integer(const Node& map, std::string_view key);
[[nodiscard]] std::optional<std::int64_t> bind_bytes(const Node& map, std::string_view key);
[[nodiscard]] std::optional<Nanoseconds> bind_duration(const Node& map, std::string_view key);

/// "host=address" items.
[[nodiscard]] std::map<std::string, std::vector<std::string>> bind_hosts(const Node* list);
/// Soft and hard limit by name.
[[nodiscard]] std::map<std::string, std::pair<std::int64_t, std::int64_t>> bind_ulimits(const Node* map);

}  // namespace compose
