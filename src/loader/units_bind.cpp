#include "loader/units_bind.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/strings.hpp"
#include "base/units.hpp"
#include "model/canonical.hpp"

namespace compose {

namespace {

struct ScalarName {
    std::string_view name;
    ScalarType type;
    const char* description;
    const char* advice;
};

constexpr std::array<ScalarName, 16> kScalars{{
    {"any", ScalarType::any, "a value", ""},
    {"text", ScalarType::text, "a text or a number", ""},
    {"boolean", ScalarType::boolean, "a boolean", "write true or false"},
    {"integer", ScalarType::integer, "a whole number", "write a number without a unit, for example 3"},
    {"number", ScalarType::number, "a number", "write a number without a unit, for example 0.5"},
    {"bytes", ScalarType::bytes, "a size", "write a number and a unit out of b, k, m, g, for example 512m"},
    {"duration", ScalarType::duration, "a duration", "write numbers with units, for example 1m30s or 500ms"},
    {"microseconds", ScalarType::microseconds, "a time", "write microseconds, for example 50000, or a duration: 50ms"},
    {"mode", ScalarType::mode, "a file mode", "write octal digits, for example 0440"},
    {"count", ScalarType::count, "a count", "write a number, or all"},
    {"restart", ScalarType::restart, "a restart policy", "write \"no\", always, on-failure[:N] or unless-stopped"},
    {"pull-policy", ScalarType::pull_policy, "a pull policy",
     "write always, never, missing, build, daily, weekly or every_<duration>, for example every_12h"},
    {"window", ScalarType::window, "a time", "write numbers with units, for example 1w2d or 12h"},
    {"container-name", ScalarType::container_name, "a container name",
     "use letters, digits, _, . and -, at least two characters, the first one a letter or digit"},
    {"subnet", ScalarType::subnet, "a subnet", "write an address and a prefix length, for example 172.28.0.0/16"},
    {"address", ScalarType::address, "an address", "write an IPv4 or IPv6 address, for example 172.28.0.1"},
}};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_name_start(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::optional<std::int64_t> parse_int(std::string_view text, int base = 10) {
    if (text.starts_with('+')) text.remove_prefix(1);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool is_pull_policy(std::string_view text) {
    for (const std::string_view known :
         {"always", "never", "missing", "if_not_present", "build", "refresh", "daily", "weekly"})
        if (text == known) return true;
    constexpr std::string_view kEvery = "every_";
    return text.starts_with(kEvery) && parse_window(text.substr(kEvery.size())).has_value();
}

bool is_restart(std::string_view text) {
    if (text == "no" || text == "always" || text == "unless-stopped" || text == "on-failure") return true;
    if (!text.starts_with("on-failure:")) return false;
    const auto retries = parse_int(text.substr(11));
    return retries && *retries >= 0 && *retries <= 1'000'000;
}

void become_text(Node& node, std::string text) {
    auto pos = node.pos;
    auto past = std::move(node.past);
    const auto tag = node.tag;
    node = Node::make_string(std::move(text), pos);
    node.past = std::move(past);
    node.tag = tag;
}

void become_integer(Node& node, std::int64_t value) {
    Node old = std::exchange(node, Node::make_int(value, node.pos));
    node.past = std::move(old.past);
    node.tag = old.tag;
}

}  // namespace

std::optional<ScalarType> scalar_type_named(std::string_view name) {
    for (const auto& entry : kScalars)
        if (entry.name == name) return entry.type;
    return std::nullopt;
}

const char* describe(ScalarType type) {
    return kScalars[static_cast<std::size_t>(type)].description;
}
const char* advice(ScalarType type) {
    return kScalars[static_cast<std::size_t>(type)].advice;
}

std::string scalar_text(const Node& node) {
    switch (node.kind) {
        case Node::Kind::boolean:
            return node.boolean ? "true" : "false";
        case Node::Kind::integer:
            return std::to_string(node.integer);
        case Node::Kind::real:
            return number_text(node.real);
        default:
            return node.text;
    }
}

std::string shown(std::string_view text) {
    constexpr std::size_t kShown = 80;
    if (text.size() <= kShown) return quote(text);
    auto end = kShown;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
    return quote(std::string(text.substr(0, end)) + "...");
}

std::optional<bool> boolean_of(const Node& node) {
    if (node.kind == Node::Kind::boolean) return node.boolean;
    if (!node.is_string()) return std::nullopt;
    const auto word = lower(node.text);
    for (const std::string_view yes : {"true", "yes", "on", "y"})
        if (word == yes) return true;
    for (const std::string_view no : {"false", "no", "off", "n"})
        if (word == no) return false;
    return std::nullopt;
}

std::optional<std::int64_t> integer_of(const Node& node) {
    if (node.kind == Node::Kind::integer) return node.integer;
    if (node.kind == Node::Kind::real && node.real == std::floor(node.real) && std::fabs(node.real) < 9e15)
        return static_cast<std::int64_t>(node.real);
    return node.is_string() ? parse_int(node.text) : std::nullopt;
}

std::optional<double> number_of(const Node& node) {
    if (node.kind == Node::Kind::integer) return static_cast<double>(node.integer);
    if (node.kind == Node::Kind::real) return std::isfinite(node.real) ? std::optional(node.real) : std::nullopt;
    if (!node.is_string() || node.text.empty()) return std::nullopt;
    double value = 0;
    const char* end_of_text = node.text.data() + node.text.size();
    const auto [end, error] = std::from_chars(node.text.data(), end_of_text, value);
    if (error != std::errc{} || end != end_of_text || !std::isfinite(value)) return std::nullopt;
    return value;
}

std::optional<std::int64_t> bytes_of(const Node& node) {
    if (node.kind == Node::Kind::integer) return node.integer;
    if (!node.is_string()) return std::nullopt;
    if (node.text.starts_with('-')) return parse_int(node.text);
    return parse_bytes(node.text);
}

std::optional<unsigned> mode_of(const Node& node) {
    std::optional<std::int64_t> value;
    if (node.kind == Node::Kind::integer) {
        value = node.integer;
    } else if (node.is_string()) {
        std::string_view digits = node.text;
        if (digits.starts_with("0o")) digits.remove_prefix(2);
        value = parse_int(digits, 8);
    }
    if (!value || *value < 0 || *value > 07777) return std::nullopt;
    return static_cast<unsigned>(*value);
}

namespace {

bool to_boolean(Node& node) {
    const auto value = boolean_of(node);
    if (value && node.kind != Node::Kind::boolean) {
        Node old = std::exchange(node, Node::make_bool(*value, node.pos));
        node.past = std::move(old.past);
        node.tag = old.tag;
    }
    return value.has_value();
}

bool to_number(Node& node) {
    const auto value = number_of(node);
    if (!value) return false;
    if (*value == std::floor(*value) && std::fabs(*value) < 9e15) {
        become_integer(node, static_cast<std::int64_t>(*value));
    } else if (node.kind != Node::Kind::real) {
        node.kind = Node::Kind::real;
        node.real = *value;
    }
    return true;
}

bool to_microseconds(Node& node) {
    auto value = integer_of(node);
    if (!value && node.is_string())
        if (const auto duration = parse_duration(node.text)) value = duration->count() / 1000;
    if (value) become_integer(node, *value);
    return value.has_value();
}

bool to_count(Node& node) {
    const auto value = node.is_string() && node.text == "all" ? std::optional<std::int64_t>(-1) : integer_of(node);
    if (!value || *value < -1) return false;
    become_integer(node, *value);
    return true;
}

bool is_text_of(const std::string& text, ScalarType type) {
    switch (type) {
        case ScalarType::restart:
            return is_restart(text);
        case ScalarType::pull_policy:
            return is_pull_policy(text);
        case ScalarType::window:
            return parse_window(text).has_value();
        case ScalarType::container_name:
            return is_container_name(text);
        case ScalarType::subnet:
            return is_subnet(text);
        case ScalarType::address:
            return is_ipv4(text) || is_ipv6(text);
        default:
            return false;
    }
}

}  // namespace

bool convert_scalar(Node& node, ScalarType type) {
    if (node.is_null() || !node.is_scalar()) return node.is_null();
    switch (type) {
        case ScalarType::any:
            return true;
        case ScalarType::text:
            if (!node.is_string()) become_text(node, scalar_text(node));
            return true;
        case ScalarType::boolean:
            return to_boolean(node);
        case ScalarType::integer: {
            const auto value = integer_of(node);
            if (value && node.kind != Node::Kind::integer) become_integer(node, *value);
            return value.has_value();
        }
        case ScalarType::number:
            return to_number(node);
        case ScalarType::bytes: {
            const auto value = bytes_of(node);
            if (!value || *value < -1) return false;
            become_text(node, std::to_string(*value));
            return true;
        }
        case ScalarType::duration: {
            const auto value = node.is_string() ? parse_duration(node.text) : std::nullopt;
            if (!value) return false;
            become_text(node, format_duration(*value));
            return true;
        }
        case ScalarType::microseconds:
            return to_microseconds(node);
        case ScalarType::count:
            return to_count(node);
        case ScalarType::mode:
            return mode_of(node).has_value();
        case ScalarType::restart:
            if (node.kind == Node::Kind::boolean && !node.boolean) become_text(node, "no");
            [[fallthrough]];
        default:
            return node.is_string() && is_text_of(node.text, type);
    }
}

bool fits_scalar(const Node& node, ScalarType type) {
    if (type == ScalarType::any || type == ScalarType::text) return true;
    Node copy;
    copy.kind = node.kind;
    copy.boolean = node.boolean;
    copy.integer = node.integer;
    copy.real = node.real;
    copy.text = node.text;
    return convert_scalar(copy, type);
}

bool is_ipv4(std::string_view text) {
    int parts = 0;
    for (const auto& part : split(text, '.')) {
        const auto value = part.size() <= 3 && !part.empty() && is_digit(part[0]) ? parse_int(part) : std::nullopt;
        if (!value || *value > 255 || ++parts > 4) return false;
    }
    return parts == 4;
}

bool is_ipv6(std::string_view text) {
    if (const auto zone = text.find('%'); zone != std::string_view::npos) text = text.substr(0, zone);
    if (text.size() < 2 || text.size() > 45 || text.find(':') == std::string_view::npos) return false;
    const auto gap = text.find("::");
    if (gap != std::string_view::npos && text.find("::", gap + 1) != std::string_view::npos) return false;
    const auto groups_of = [](std::string_view half, bool last) -> int {
        if (half.empty()) return 0;
        int groups = 0;
        const auto parts = split(half, ':');
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (last && i + 1 == parts.size() && is_ipv4(parts[i])) return groups + 2;
            if (parts[i].empty() || parts[i].size() > 4) return -1;
            for (const char c : parts[i])
                if (!is_digit(c) && !((c | 0x20) >= 'a' && (c | 0x20) <= 'f')) return -1;
            ++groups;
        }
        return groups;
    };
    if (gap == std::string_view::npos) return groups_of(text, true) == 8;
    const int before = groups_of(text.substr(0, gap), false);
    const int after = groups_of(text.substr(gap + 2), true);
    return before >= 0 && after >= 0 && before + after <= 7;
}

bool is_subnet(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return false;
    const auto bits = is_digit(text.back()) ? parse_int(text.substr(slash + 1)) : std::nullopt;
    if (!bits || *bits < 0) return false;
    const auto address = text.substr(0, slash);
    return (is_ipv4(address) && *bits <= 32) || (is_ipv6(address) && *bits <= 128);
}

bool is_container_name(std::string_view text) {
    if (text.size() < 2 || !is_name_start(text[0])) return false;
    for (const char c : text)
        if (!is_name_start(c) && c != '_' && c != '.' && c != '-') return false;
    return true;
}

}  // namespace compose
