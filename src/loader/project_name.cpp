#include "loader/project_name.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.hpp"

namespace compose {

namespace {
bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool is_allowed(char c) {
    return is_alphanumeric(c) || c == '-' || c == '_';
}
}  // namespace

bool is_project_name(std::string_view name) {
    return !name.empty() && is_alphanumeric(name.front()) && std::all_of(name.begin(), name.end(), is_allowed);
}

std::string project_name_from(std::string_view text) {
    std::string out;
    for (const char c : lower(text))
        if (is_allowed(c)) out += c;
    const auto start = out.find_first_not_of("-_");
    return start == std::string::npos ? std::string{} : out.substr(start);
}

std::string project_name_complaint(std::string_view name) {
    if (name.empty()) return "the project name must not be empty";
    return fmt::format(
        "invalid project name {}: it has to consist of lower-case letters, digits, hyphens and underscores and to "
        "begin with "
        "a letter or digit",
        quote(name));
}

std::string project_name_hint(std::string_view name) {
    const auto near = project_name_from(name);
    return near.empty() ? "set one with -p NAME" : fmt::format("for example {}", quote(near));
}

}  // namespace compose
