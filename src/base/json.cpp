#include "base/json.hpp"

#include "base/error.hpp"

namespace compose {

json::value parse_json(std::string_view text) {
    json::parse_options options;
    options.max_depth = 64;
    json::error_code code;
    auto value = json::parse(text, code, {}, options);
    if (code) throw make_error(ErrorKind::invalid, "not valid JSON: {}", code.message());
    return value;
}

std::string string_or(const json::object& object, std::string_view key, std::string_view fallback) {
    const auto* value = object.if_contains(key);
    if (value == nullptr || !value->is_string()) return std::string(fallback);
    return std::string(value->get_string());
}

std::int64_t int_or(const json::object& object, std::string_view key, std::int64_t fallback) {
    const auto* value = object.if_contains(key);
    if (value == nullptr) return fallback;
    json::error_code code;
    const auto number = value->to_number<std::int64_t>(code);
    return code ? fallback : number;
}

bool bool_or(const json::object& object, std::string_view key, bool fallback) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_bool() ? value->get_bool() : fallback;
}

std::vector<std::string> strings_or_empty(const json::object& object, std::string_view key) {
    std::vector<std::string> out;
    const auto* value = object.if_contains(key);
    if (value == nullptr || !value->is_array()) return out;
    for (const auto& item : value->get_array())
        if (item.is_string()) out.emplace_back(item.get_string());
    return out;
}

std::optional<std::vector<std::string>> parse_string_list(std::string_view text) {
    if (!text.starts_with('[')) return std::nullopt;
    json::error_code code;
    json::parse_options options;
    options.max_depth = 4;
    const auto value = json::parse(text, code, {}, options);
    if (code || !value.is_array()) return std::nullopt;
    std::vector<std::string> out;
    for (const auto& item : value.get_array()) {
        if (!item.is_string()) return std::nullopt;
        out.emplace_back(item.get_string());
    }
    return out;
}

}  // namespace compose
