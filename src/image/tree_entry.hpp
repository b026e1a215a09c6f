// What packing and unpacking of trees agree on.
#pragma once

#include <string>
#include <string_view>

namespace compose::image {

struct TreePath {
    std::string parent, name;  // "/a/b/" -> "/a", "b"; "/" -> "/", ""
};
inline TreePath split_tree_path(std::string path) {
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return {".", path};
    return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

/// Extended attributes that travel; the others are the host's or an overlay's own.
inline bool is_kept_xattr(std::string_view name) {
    return name == "security.capability" || (name.starts_with("user.") && !name.starts_with("user.overlay."));
}

}  // namespace compose::image
