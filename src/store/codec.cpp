#include "store/codec.hpp"

#include "base/json.hpp"

namespace compose::store {

namespace {

// Nearly every value fits the buffer, so that reading hundreds of rows allocates only for the result.
struct Parsed {
    explicit Parsed(std::string_view text) : memory(buffer, sizeof buffer) {
        json::error_code code;
        value = json::parse(text, code, &memory);
        if (code) value = nullptr;
    }
    unsigned char buffer[4096];
    json::monotonic_resource memory;
    json::value value;
};

/// A JSON string without escapes at the front of `text`, taken off it.
std::optional<std::string_view> take_plain_string(std::string_view& text) {
    if (!text.starts_with('"')) return std::nullopt;
    const auto end = text.find_first_of("\"\\", 1);
    if (end == std::string_view::npos || text[end] != '"') return std::nullopt;
    const auto string = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    return string;
}

bool take(std::string_view& text, char c) {
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
    return true;
}

// Labels are most of what a listing reads, and nearly none has an escape: this is five times faster than a parser.
bool decode_plain(std::string_view text, std::map<std::string, std::string>& map) {
    if (!take(text, '{')) return false;
    for (;;) {
        const auto key = take_plain_string(text);
        if (!key || !take(text, ':')) return false;
        const auto value = take_plain_string(text);
        if (!value) return false;
        map.emplace_hint(map.end(), *key, *value);
        if (!take(text, ',')) return text == "}";
    }
}

}  // namespace

std::string encode(const std::map<std::string, std::string>& map) {
    if (map.empty()) return "{}";
    json::object object;
    for (const auto& [key, value] : map) object.emplace(key, value);
    return json::serialize(object);
}

std::string encode(const std::vector<std::string>& list) {
    if (list.empty()) return "[]";
    return json::serialize(json::array(list.begin(), list.end()));
}

std::map<std::string, std::string> decode_map(std::string_view text) {
    std::map<std::string, std::string> map;
    if (text.size() <= 2 || decode_plain(text, map)) return map;
    map.clear();
    const Parsed parsed(text);
    if (const auto* object = parsed.value.if_object())
        for (const auto& [key, value] : *object)
            if (const auto* string = value.if_string())
                map.emplace_hint(map.end(), std::string(key), std::string(*string));
    return map;
}

std::vector<std::string> decode_list(std::string_view text) {
    std::vector<std::string> list;
    if (text.size() <= 2) return list;
    const Parsed parsed(text);
    if (const auto* array = parsed.value.if_array())
        for (const auto& value : *array)
            if (const auto* string = value.if_string()) list.emplace_back(*string);
    return list;
}

}  // namespace compose::store
