#include "engine/build_stubs.hpp"

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/log.hpp"
#include "build/paths.hpp"
#include "build/source_tree.hpp"
#include "image/copy_up.hpp"
#include "sys/dir.hpp"
#include "sys/tree.hpp"
#include "sys/xattr.hpp"

namespace compose::engine {
namespace {

/// The directory, without following any link; nothing when it is not there.
std::optional<sys::Fd> open_plainly(sys::FdRef top, const std::string& path) {
    auto dir = sys::duplicate(top);
    for (std::size_t begin = 0; begin < path.size();) {
        const auto end = std::min(path.find('/', begin), path.size());
        auto next = sys::open_directory_at(dir, path.substr(begin, end - begin));
        if (!next) return std::nullopt;
        dir = std::move(*next);
        begin = end + 1;
    }
    return dir;
}

bool deeper(const std::string& a, const std::string& b) {
    const auto depth = [](const std::string& path) { return std::count(path.begin(), path.end(), '/'); };
    return depth(a) != depth(b) ? depth(a) > depth(b) : a < b;
}

}  // namespace

MountStubs::MountStubs(const std::vector<std::string>& lowers, const std::vector<std::string>& targets) {
    const auto root = image::open_image_root(lowers);
    std::set<std::string> missing, above;
    for (const auto& target : targets) {
        const auto path = build::resolve_leniently(root, target);
        for (auto part = path; !part.empty(); part = std::string(build::parent_path(part))) {
            const auto parent = std::string(build::parent_path(part));
            const auto dir =
                sys::find_directory_in_root(root, parent.empty() ? "." : parent, sys::Missing::anything_else);
            if (dir && sys::inspect_at(*dir, std::string(build::base_name(part))))
                above.insert(part);
            else
                missing.insert(part);
        }
    }
    missing_.assign(missing.begin(), missing.end());
    std::sort(missing_.begin(), missing_.end(), deeper);
    std::vector<std::string> kept(above.begin(), above.end());
    std::sort(kept.begin(), kept.end(), deeper);
    for (const auto& path : kept)
        if (const auto dir = sys::find_directory_in_root(root, path, sys::Missing::anything_else_or_link)) {
            const auto info = sys::inspect(*dir);
            above_.push_back({path, info.owner, info.group, info.mode});
        }
}

void MountStubs::remove_from(sys::FdRef upper) const {
    const auto try_remove = [&](const std::string& path, const Above* like) {
        const auto name = std::string(build::base_name(path));
        const auto parent = open_plainly(upper, std::string(build::parent_path(path)));
        const auto info = parent ? sys::inspect_at(*parent, name) : std::nullopt;
        if (!info) return;
        if (info->kind == sys::FileKind::directory) {
            const auto dir = sys::open_directory_at(*parent, name);
            if (!dir || !sys::list_directory(sys::FdRef(*dir)).empty()) return;
            const bool same =
                like == nullptr || (info->owner == like->owner && info->group == like->group &&
                                    info->mode == like->mode && !sys::read_xattr(*dir, "trusted.overlay.opaque"));
            if (!same) return;
        } else if (like != nullptr || info->kind != sys::FileKind::regular || info->size != 0) {
            return;
        }
        sys::remove_tree_at(*parent, name);
    };
    for (const auto& path : missing_) try_remove(path, nullptr);
    for (const auto& one : above_) try_remove(one.path, &one);
}

}  // namespace compose::engine
