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
    if (text.size() <= 2) return map;
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
