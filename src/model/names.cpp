#include "model/names.hpp"

#include <algorithm>

namespace compose {

std::string container_name(std::string_view project, std::string_view service, int number) {
    std::string out(project);
    out += '-';
    out += service;
    out += '-';
    out += std::to_string(number);
    return out;
}

bool is_temporary_name(std::string_view name, std::string_view final_name) {
    constexpr std::size_t kDigits = 12;
    return name.size() == kDigits + 1 + final_name.size() && name[kDigits] == '_' && name.ends_with(final_name) &&
           std::all_of(name.begin(), name.begin() + kDigits,
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace compose
