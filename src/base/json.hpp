// The few Boost.JSON helpers that every layer needs. Include it in .cpp files; headers take boost/json/fwd.hpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

namespace compose {

namespace json = boost::json;

/// Parses one JSON text; throws Error(invalid) that says where it is broken. Depth is limited to 64.
[[nodiscard]] json::value parse_json(std::string_view text);
/// The member as text, or `fallback` when it is absent or not a string.
[[nodiscard]] std::string string_or(const json::object& object, std::string_view key, std::string_view fallback = {});
[[nodiscard]] std::int64_t int_or(const json::object& object, std::string_view key, std::int64_t fallback);
[[nodiscard]] bool bool_or(const json::object& object, std::string_view key, bool fallback);
/// The member as a list of strings; empty when absent.
[[nodiscard]] std::vector<std::string> strings_or_empty(const json::object& object, std::string_view key);
/// ["a", "b"], the exec form of Dockerfile instructions; nothing when the text is not that.
[[nodiscard]] std::optional<std::vector<std::string>> parse_string_list(std::string_view text);

}  // namespace compose
