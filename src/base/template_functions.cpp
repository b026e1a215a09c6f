// The functions of templates: Go's own and those that Docker adds.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/strings.hpp"
#include "base/template_printf.hpp"
#include "base/template_tree.hpp"

namespace compose::tpl {
namespace {

namespace json = boost::json;
using Values = std::vector<Value>;

constexpr std::array kFunctions{
    FunctionInfo{"and", 1, -1},     FunctionInfo{"or", 1, -1},      FunctionInfo{"not", 1, 1},
    FunctionInfo{"eq", 2, -1},      FunctionInfo{"ne", 2, 2},       FunctionInfo{"lt", 2, 2},
    FunctionInfo{"le", 2, 2},       FunctionInfo{"gt", 2, 2},       FunctionInfo{"ge", 2, 2},
    FunctionInfo{"index", 1, -1},   FunctionInfo{"slice", 1, 3},    FunctionInfo{"len", 1, 1},
    FunctionInfo{"print", 0, -1},   FunctionInfo{"println", 0, -1}, FunctionInfo{"printf", 1, -1},
    FunctionInfo{"json", 1, 1},     FunctionInfo{"join", 2, 2},     FunctionInfo{"split", 2, 2},
    FunctionInfo{"lower", 1, 1},    FunctionInfo{"upper", 1, 1},    FunctionInfo{"title", 1, 1},
    FunctionInfo{"truncate", 2, 2}, FunctionInfo{"pad", 3, 3},
};

const std::string_view kNoText = "a text is needed";

std::string_view text(Value value, std::string_view function, Place place) {
    if (value == nullptr || value->is_null()) return {};
    if (const auto* string = value->if_string()) return *string;
    fail(place, "{}: {}", function, kNoText);
}

std::int64_t whole(Value value, std::string_view function, Place place) {
    if (value != nullptr) {
        if (const auto* number = value->if_int64()) return *number;
        if (const auto* number = value->if_uint64()) return static_cast<std::int64_t>(*number);
    }
    fail(place, "{}: a whole number is needed", function);
}

std::size_t length(Value value, std::string_view function, Place place) {
    if (value != nullptr) {
        if (const auto* string = value->if_string()) return string->size();
        if (const auto* list = value->if_array()) return list->size();
        if (const auto* object = value->if_object()) return object->size();
        if (value->is_null()) return 0;
    }
    fail(place, "{}: a text, a list or an object is needed", function);
}

/// Negative, 0 or positive. Throws for what can't be ordered.
int compare(Value a, Value b, std::string_view function, Place place) {
    if (a == nullptr || b == nullptr) fail(place, "{}: there is nothing to compare", function);
    if (a->is_string() && b->is_string())
        return std::string_view(a->get_string()).compare(std::string_view(b->get_string()));
    if (a->is_number() && b->is_number()) {
        const auto left = a->to_number<double>(), right = b->to_number<double>();
        return left < right ? -1 : left > right ? 1 : 0;
    }
    fail(place, "{}: these can't be compared", function);
}

bool equal(Value a, Value b, Place place) {
    const bool left_nil = a == nullptr || a->is_null(), right_nil = b == nullptr || b->is_null();
    if (left_nil || right_nil) return left_nil && right_nil;
    if (a->is_bool() && b->is_bool()) return a->get_bool() == b->get_bool();
    if (a->is_structured() || b->is_structured()) fail(place, "eq: lists and objects can't be compared");
    if (a->is_string() != b->is_string() || a->is_bool() != b->is_bool())
        fail(place, "eq: a {} and a {} can't be compared", a->is_string() ? "text" : "number",
             b->is_string() ? "text" : "number");
    return compare(a, b, "eq", place) == 0;
}

json::value index(const Values& arguments, Place place) {
    Value value = arguments.front();
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        if (value == nullptr || value->is_null()) fail(place, "index: nil has no elements");
        if (const json::object* object = value->if_object()) {
            const json::value* const found = object->if_contains(text(arguments[i], "index", place));
            if (found == nullptr) return "";  // Go's zero value of a map of texts
            value = found;
            continue;
        }
        const std::int64_t at = whole(arguments[i], "index", place);
        const auto size = static_cast<std::int64_t>(length(value, "index", place));
        if (at < 0 || at >= size) fail(place, "index: {} is out of range (there are {})", at, size);
        if (value->is_string()) return static_cast<unsigned char>(value->get_string()[static_cast<std::size_t>(at)]);
        value = &value->get_array()[static_cast<std::size_t>(at)];
    }
    return value == nullptr ? json::value(nullptr) : *value;
}

json::value slice(const Values& arguments, Place place) {
    const auto size = static_cast<std::int64_t>(length(arguments[0], "slice", place));
    const std::int64_t first = arguments.size() > 1 ? whole(arguments[1], "slice", place) : 0;
    const std::int64_t last = arguments.size() > 2 ? whole(arguments[2], "slice", place) : size;
    if (first < 0 || last < first || last > size) fail(place, "slice: {}:{} is out of range ({})", first, last, size);
    const auto from = static_cast<std::size_t>(first), to = static_cast<std::size_t>(last);
    if (arguments[0] != nullptr && arguments[0]->is_string())
        return json::string(std::string_view(arguments[0]->get_string()).substr(from, to - from));
    if (arguments[0] == nullptr || !arguments[0]->is_array()) fail(place, "slice: a text or a list is needed");
    const json::array& list = arguments[0]->get_array();
    return json::array(list.begin() + first, list.begin() + last);
}

json::value joined(const Values& arguments, Place place) {
    if (arguments[0] == nullptr || arguments[0]->is_null()) return "";
    const json::array* list = arguments[0]->if_array();
    if (list == nullptr) fail(place, "join: a list is needed");
    const std::string_view separator = text(arguments[1], "join", place);
    std::string out;
    for (const json::value& item : *list) {
        if (&item != &list->front()) out += separator;
        print_value(&item, out);
        if (out.size() > kMaxOutput) fail(place, "makes too much text");
    }
    return json::string(out);
}

json::value split_text(const Values& arguments, Place place) {
    const std::string_view whole_text = text(arguments[0], "split", place);
    const std::string_view separator = text(arguments[1], "split", place);
    json::array out;
    if (separator.empty()) {
        for (const char c : whole_text) {
            if ((static_cast<unsigned char>(c) & 0xC0U) == 0x80U && !out.empty())
                out.back().get_string().push_back(c);
            else
                out.emplace_back(std::string_view(&c, 1));
        }
        return out;
    }
    std::size_t start = 0;
    for (std::size_t at = 0; (at = whole_text.find(separator, start)) != std::string_view::npos;
         start = at + separator.size())
        out.emplace_back(whole_text.substr(start, at - start));
    out.emplace_back(whole_text.substr(start));
    return out;
}

json::value cased(std::string_view name, std::string_view input) {
    std::string out(input);
    bool begins = true;
    for (char& c : out) {
        const bool small = c >= 'a' && c <= 'z', large = c >= 'A' && c <= 'Z';
        if (small && (name == "upper" || (name == "title" && begins))) c = static_cast<char>(c - 'a' + 'A');
        if (large && name == "lower") c = static_cast<char>(c - 'A' + 'a');
        begins = c == ' ' || c == '\t' || c == '\n';
    }
    return json::string(out);
}

json::value truncated(const Values& arguments, Place place) {
    const std::string_view input = text(arguments[0], "truncate", place);
    const std::int64_t limit = whole(arguments[1], "truncate", place);
    if (limit < 0) fail(place, "truncate: {} is negative", limit);
    std::int64_t characters = 0;
    for (std::size_t i = 0; i < input.size(); ++i)
        if ((static_cast<unsigned char>(input[i]) & 0xC0U) != 0x80U && ++characters > limit)
            return json::string(input.substr(0, i));
    return json::string(input);
}

json::value padded(const Values& arguments, Place place) {
    const std::string_view input = text(arguments[0], "pad", place);
    const std::int64_t before = whole(arguments[1], "pad", place), after = whole(arguments[2], "pad", place);
    if (input.empty()) return "";
    if (before < 0 || after < 0 || before > 1000 || after > 1000) fail(place, "pad: 0 to 1000 spaces");
    return json::string(std::string(static_cast<std::size_t>(before), ' ') + std::string(input) +
                        std::string(static_cast<std::size_t>(after), ' '));
}

/// As fmt.Sprint: a space between two operands when neither is a text. Println: always.
json::value printed(const Values& arguments, bool line) {
    std::string out;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const auto is_text = [&](Value value) { return value != nullptr && value->is_string(); };
        if (i > 0 && (line || (!is_text(arguments[i]) && !is_text(arguments[i - 1])))) out += ' ';
        print_value(arguments[i], out);
    }
    if (line) out += '\n';
    return json::string(out);
}

json::value ordered(std::string_view name, const Values& arguments, Place place) {
    const int order = compare(arguments[0], arguments[1], name, place);
    if (name == "lt") return order < 0;
    if (name == "le") return order <= 0;
    return name == "gt" ? order > 0 : order >= 0;
}

}  // namespace

const FunctionInfo* find_function(std::string_view name) {
    const auto found =
        std::find_if(kFunctions.begin(), kFunctions.end(), [&](const FunctionInfo& info) { return info.name == name; });
    return found == kFunctions.end() ? nullptr : &*found;
}

std::vector<std::string_view> function_names() {
    std::vector<std::string_view> names;
    for (const FunctionInfo& info : kFunctions) names.push_back(info.name);
    return names;
}

json::value call(std::string_view name, const Values& arguments, Place place) {
    if (name == "not") return !is_true(arguments[0]);
    if (name == "eq")
        return std::any_of(arguments.begin() + 1, arguments.end(),
                           [&](Value other) { return equal(arguments[0], other, place); });
    if (name == "ne") return !equal(arguments[0], arguments[1], place);
    if (name == "lt" || name == "le" || name == "gt" || name == "ge") return ordered(name, arguments, place);
    if (name == "index") return index(arguments, place);
    if (name == "slice") return slice(arguments, place);
    if (name == "len") return static_cast<std::int64_t>(length(arguments[0], name, place));
    if (name == "print" || name == "println") return printed(arguments, name == "println");
    if (name == "printf")
        return json::string(
            go_printf(text(arguments[0], name, place), {arguments.begin() + 1, arguments.end()}, place));
    if (name == "json") return json::string(arguments[0] == nullptr ? "null" : json::serialize(*arguments[0]));
    if (name == "join") return joined(arguments, place);
    if (name == "split") return split_text(arguments, place);
    if (name == "truncate") return truncated(arguments, place);
    if (name == "pad") return padded(arguments, place);
    return cased(name, text(arguments[0], name, place));
}

bool is_true(Value value) {
    if (value == nullptr) return false;
    switch (value->kind()) {
        case json::kind::null:
            return false;
        case json::kind::bool_:
            return value->get_bool();
        case json::kind::string:
            return !value->get_string().empty();
        case json::kind::array:
            return !value->get_array().empty();
        case json::kind::object:
            return !value->get_object().empty();
        default:
            return value->to_number<double>() != 0;
    }
}

}  // namespace compose::tpl
