#include "image/copy_up.hpp"

#include "base/error.hpp"
#include "sys/clock.hpp"
#include "sys/copy_tree.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/overlay_view.hpp"
#include "sys/tree.hpp"

namespace compose::image {

namespace {

constexpr std::string_view kTemporary = ".copy-up-";

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
    const auto slash = target.rfind('/');
    if (slash == std::string::npos || slash + 1 == target.size()) throw Error("copy_up needs an absolute path");
    const auto parent = sys::open_directory(target.substr(0, std::max<std::size_t>(slash, 1)));
    const auto name = target.substr(slash + 1);
    if (!sys::list_directory(target).empty()) return false;
    // What a killed process left.
    for (const auto& entry : sys::list_directory(parent))
        if (entry.starts_with(kTemporary)) sys::remove_tree_at(parent, entry);
    // Into a folder beside it, which then takes its place: half a copy is never seen.
    const auto temporary = std::string(kTemporary) + sys::random_id().substr(0, 16);
    sys::create_directory_at(parent, temporary, 0700);
    try {
        const auto copy = sys::open_directory_at(parent, temporary);
        if (!copy) throw make_error("open {}", temporary);
        in_context([&] { return fmt::format("copy {} of the image into {}", path, target); },
                   [&] { sys::copy_tree(*source, *copy); });
        sys::rename_at(parent, temporary, parent, name);
    } catch (...) {
        sys::remove_tree_at(parent, temporary);
        throw;
    }
    return true;
}

}  // namespace compose::image
