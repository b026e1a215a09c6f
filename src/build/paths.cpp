#include "build/paths.hpp"

#include "base/strings.hpp"

namespace compose::build {

std::string clean_relative(std::string_view path) {
    std::vector<std::string> parts;
    for (auto& part : split(path, '/')) {
        if (part.empty() || part == ".") continue;
        if (part != "..")
            parts.push_back(std::move(part));
        else if (!parts.empty())
            parts.pop_back();
    }
    return join(parts, "/");
}

std::string absolute_in(std::string_view base, std::string_view path) {
    if (path.starts_with('/')) return "/" + clean_relative(path);
    return "/" + clean_relative(std::string(base) + "/" + std::string(path));
}

std::string_view base_name(std::string_view path) {
    const auto slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view parent_path(std::string_view path) {
    const auto slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

}  // namespace compose::build
