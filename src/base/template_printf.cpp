#include "base/template_printf.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/strings.hpp"

namespace compose::tpl {
namespace {

namespace json = boost::json;
constexpr std::size_t kMaxWidth = 1000;

/// Go's %v of a floating point number: %g with the shortest digits, whole ones from 1e21 on with an exponent.
std::string real_text(double value) {
    if (value == std::floor(value) && std::fabs(value) < 1e21) return fmt::format("{:.0f}", value);
    return fmt::format("{}", value);
}

struct Verb {
    bool left = false, plus = false, zero = false, sharp = false, space = false;
    std::size_t width = 0;
    std::optional<std::size_t> precision;
    char letter = 'v';
};

class Printer {
public:
    Printer(std::string_view format, const std::vector<Value>& arguments, Place place)
        : format_(format), arguments_(arguments), place_(place) {}

    std::string run() {
        std::string out;
        std::size_t used = 0;
        while (at_ < format_.size()) {
            if (format_[at_] != '%') {
                out += format_[at_++];
                continue;
            }
            ++at_;
            if (at_ >= format_.size()) return out + "%!(NOVERB)";
            const Verb verb = read_verb();
            if (verb.letter == '%')
                out += '%';
            else if (used >= arguments_.size())
                out += fmt::format("%!{}(MISSING)", verb.letter);
            else
                out += pad(verb, text(verb, arguments_[used++]));
            if (out.size() > kMaxOutput) fail(place_, "makes too much text");
        }
        if (used < arguments_.size()) {
            out += "%!(EXTRA";
            for (; used < arguments_.size(); ++used) {
                out += ' ';
                print_value(arguments_[used], out);
            }
            out += ')';
        }
        return out;
    }

private:
    std::size_t number() {
        std::size_t value = 0;
        while (at_ < format_.size() && format_[at_] >= '0' && format_[at_] <= '9') {
            value = value * 10 + static_cast<std::size_t>(format_[at_++] - '0');
            if (value > kMaxWidth) fail(place_, "printf: a width above {}", kMaxWidth);
        }
        return value;
    }

    Verb read_verb() {
        Verb verb;
        for (; at_ < format_.size(); ++at_) {
            const char c = format_[at_];
            if (c == '-')
                verb.left = true;
            else if (c == '+')
                verb.plus = true;
            else if (c == '0')
                verb.zero = true;
            else if (c == '#')
                verb.sharp = true;
            else if (c == ' ')
                verb.space = true;
            else
                break;
        }
        verb.width = number();
        if (at_ < format_.size() && format_[at_] == '.') {
            ++at_;
            verb.precision = number();
        }
        if (at_ < format_.size()) verb.letter = format_[at_++];
        return verb;
    }

    static std::size_t characters(std::string_view text) {
        return static_cast<std::size_t>(std::count_if(
            text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
    }

    static std::string pad(const Verb& verb, std::string text) {
        const std::size_t shown = characters(text);
        if (shown >= verb.width) return text;
        const std::size_t missing = verb.width - shown;
        if (verb.left) return text + std::string(missing, ' ');
        const bool zeros = verb.zero && std::string_view("dxXobfge").find(verb.letter) != std::string_view::npos;
        if (!zeros) return std::string(missing, ' ') + text;
        const std::size_t sign = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
        return text.substr(0, sign) + std::string(missing, '0') + text.substr(sign);
    }

    static std::string wrong(const Verb& verb, Value value) {
        std::string shown;
        print_value(value, shown);
        const char* type = "<nil>";
        if (value != nullptr && value->is_string())
            type = "string=";
        else if (value != nullptr && value->is_bool())
            type = "bool=";
        else if (value != nullptr && value->is_double())
            type = "float64=";
        else if (value != nullptr && value->is_number())
            type = "int=";
        else if (value != nullptr && value->is_structured())
            type = "";
        if (value == nullptr || value->is_null()) shown.clear();
        return fmt::format("%!{}({}{})", verb.letter, type, shown);
    }

    std::string text(const Verb& verb, Value value) {
        const bool whole = value != nullptr && (value->is_int64() || value->is_uint64());
        switch (verb.letter) {
            case 'v':
            case 's': {
                if (verb.letter == 's' && value != nullptr && (value->is_number() || value->is_bool()))
                    return wrong(verb, value);
                std::string out;
                print_value(value, out);
                return verb.precision && verb.letter == 's' ? cut(out, *verb.precision) : out;
            }
            case 'q':
                if (value == nullptr || !value->is_string()) return wrong(verb, value);
                return quote(std::string_view(value->get_string()));
            case 't':
                if (value == nullptr || !value->is_bool()) return wrong(verb, value);
                return value->get_bool() ? "true" : "false";
            case 'd':
            case 'o':
            case 'b':
            case 'c':
                return whole ? integer(verb, *value) : wrong(verb, value);
            case 'x':
            case 'X':
                if (value != nullptr && value->is_string()) return hex_of(verb, value->get_string());
                return whole ? integer(verb, *value) : wrong(verb, value);
            case 'f':
            case 'g':
            case 'e':
                return value != nullptr && value->is_double() ? real(verb, value->get_double()) : wrong(verb, value);
            default:
                return wrong(verb, value);
        }
    }

    static std::string cut(const std::string& text, std::size_t limit) {
        std::size_t shown = 0;
        for (std::size_t i = 0; i < text.size(); ++i)
            if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U && ++shown > limit) return text.substr(0, i);
        return text;
    }

    static std::string integer(const Verb& verb, const json::value& value) {
        const bool negative = value.is_int64() && value.get_int64() < 0;
        const std::uint64_t magnitude = value.is_uint64() ? value.get_uint64()
                                        : negative        ? 0 - static_cast<std::uint64_t>(value.get_int64())
                                                          : static_cast<std::uint64_t>(value.get_int64());
        const std::string sign = negative ? "-" : verb.plus ? "+" : verb.space ? " " : "";
        switch (verb.letter) {
            case 'x':
                return sign + (verb.sharp ? "0x" : "") + fmt::format("{:x}", magnitude);
            case 'X':
                return sign + (verb.sharp ? "0X" : "") + fmt::format("{:X}", magnitude);
            case 'o':
                return sign + (verb.sharp ? "0" : "") + fmt::format("{:o}", magnitude);
            case 'b':
                return sign + fmt::format("{:b}", magnitude);
            case 'c':
                return magnitude < 0x80 ? std::string(1, static_cast<char>(magnitude)) : "\uFFFD";
            default:
                return sign + fmt::format("{}", magnitude);
        }
    }

    static std::string hex_of(const Verb& verb, std::string_view bytes) {
        std::string out;
        for (const char c : bytes) {
            const auto byte = static_cast<unsigned char>(c);
            out += verb.letter == 'x' ? fmt::format("{:02x}", byte) : fmt::format("{:02X}", byte);
        }
        return out;
    }

    static std::string real(const Verb& verb, double value) {
        const int precision = static_cast<int>(verb.precision.value_or(6));
        std::string sign = verb.plus && value >= 0 ? "+" : "";
        if (verb.letter == 'f') return sign + fmt::format("{:.{}f}", value, precision);
        if (verb.letter == 'e') return sign + fmt::format("{:.{}e}", value, precision);
        return sign + (verb.precision ? fmt::format("{:.{}g}", value, precision) : fmt::format("{}", value));
    }

    std::string_view format_;
    const std::vector<Value>& arguments_;
    Place place_;
    std::size_t at_ = 0;
};

}  // namespace

std::string go_printf(std::string_view format, const std::vector<Value>& arguments, Place place) {
    return Printer(format, arguments, place).run();
}

void print_value(Value value, std::string& out, std::size_t depth) {
    if (value == nullptr) {
        out += "<no value>";
        return;
    }
    if (depth > kMaxDepth || out.size() > kMaxOutput) return;
    switch (value->kind()) {
        case json::kind::null:
            out += "<nil>";
            break;
        case json::kind::bool_:
            out += value->get_bool() ? "true" : "false";
            break;
        case json::kind::string:
            out += std::string_view(value->get_string());
            break;
        case json::kind::double_:
            out += real_text(value->get_double());
            break;
        case json::kind::array:
            out += '[';
            for (const json::value& item : value->get_array()) {
                if (&item != &value->get_array().front()) out += ' ';
                print_value(&item, out, depth + 1);
            }
            out += ']';
            break;
        case json::kind::object: {
            std::vector<const json::key_value_pair*> sorted;
            for (const auto& entry : value->get_object()) sorted.push_back(&entry);
            std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
                return std::string_view(a->key()) < std::string_view(b->key());
            });
            out += "map[";
            for (const auto* entry : sorted) {
                if (entry != sorted.front()) out += ' ';
                out += std::string_view(entry->key());
                out += ':';
                print_value(&entry->value(), out, depth + 1);
            }
            out += ']';
            break;
        }
        default:
            out += json::serialize(*value);
    }
}

}  // namespace compose::tpl
