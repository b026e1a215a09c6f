#include "model/names.hpp"

namespace compose {

std::string container_name(std::string_view project, std::string_view service, int number) {
    std::string out(project);
    out += '-';
    out += service;
    out += '-';
    out += std::to_string(number);
    return out;
}

}  // namespace compose
