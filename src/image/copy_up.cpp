#include "image/copy_up.hpp"

#include "base/error.hpp"
#include "sys/copy_tree.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/overlay_view.hpp"
#include "sys/tree.hpp"

namespace compose::image {

namespace {

/// A path as the image means it: always from its root.
std::string inside(const std::string& path) {
    return path.empty() || path == "/" ? "." : path;
}

}  // namespace

sys::Fd open_image_root(const std::vector<std::string>& lowers) {
    return sys::open_overlay_view(lowers);
}

std::optional<std::string> read_image_file(const std::vector<std::string>& lowers, const std::string& path,
                                           std::size_t limit) {
    const auto root = open_image_root(lowers);
    const auto file = sys::find_regular_file_in_root(root, inside(path));
    if (!file) return std::nullopt;
    return in_context([&] { return "read " + path + " of the image"; }, [&] { return sys::read_all(*file, limit); });
}

bool copy_up(const std::vector<std::string>& lowers, const std::string& path, const std::string& target) {
    const auto root = open_image_root(lowers);
    const auto source = sys::find_directory_in_root(root, inside(path), sys::Missing::anything_else);
    if (!source) return false;
    if (!sys::is_empty_directory(target)) return false;
    const auto copy = sys::open_directory(target);
    in_context([&] { return fmt::format("copy {} of the image into {}", path, target); },
               [&] { sys::copy_tree(*source, copy); });
    return true;
}

}  // namespace compose::image
