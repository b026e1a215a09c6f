// What a transformation has written: see compose/bridge.hpp.
#include <compose/bridge.hpp>
#include <compose/containers.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "engine/copy_files.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/tree.hpp"

namespace compose {

namespace {

constexpr std::size_t kDeepest = 100;  // folders in folders, each of which takes a descriptor

/// Nobody writes to the tree any more.
class Pruner {
public:
    explicit Pruner(sys::FdRef root) : root_(root) {}

    void prune(sys::FdRef dir, const std::string& path, std::size_t depth) {
        if (depth > kDeepest) throw make_error(ErrorKind::invalid, "more than {} folders in one another", kDeepest);
        for (const auto& name : sys::list_directory(dir)) {
            const auto below = path.empty() ? name : path + "/" + name;
            if (const auto folder = sys::open_directory_at(dir, name)) {
                prune(*folder, below, depth + 1);
            } else if (!is_welcome(dir, name, below)) {
                sys::remove_tree_at(dir, name);
                left_out.push_back(below);
            }
        }
    }

    std::vector<std::string> left_out;

private:
    [[nodiscard]] bool is_welcome(sys::FdRef dir, const std::string& name, const std::string& path) const {
        const auto info = sys::inspect_at(dir, name);
        if (!info || info->kind == sys::FileKind::regular) return true;
        return info->kind == sys::FileKind::symlink && sys::leads_beneath(root_, path);
    }

    const sys::FdRef root_;
};

}  // namespace

bool has_files(const std::string& folder) {
    if (!sys::exists(folder)) return false;
    if (!sys::is_directory(folder)) throw make_error(ErrorKind::usage, "{} is no folder", quote(folder));
    return !sys::is_empty_directory(folder);
}

std::vector<std::string> replace_files(const std::string& from, const std::string& folder) {
    const auto source = sys::open_directory(from);
    Pruner pruner(source);
    pruner.prune(source, "", 0);
    sys::make_directories(folder, 0755);
    const auto target = sys::open_directory(folder);
    for (const auto& name : sys::list_directory(sys::FdRef(target))) sys::remove_tree_at(target, name);
    engine::copy_out(source, "/.", folder, {});
    return std::move(pruner.left_out);
}

std::vector<std::string> copy_templates(Containers& containers, const std::string& id, const std::string& folder) {
    sys::make_directories(folder.substr(0, std::max<std::size_t>(folder.rfind('/'), 1)), 0755);
    if (sys::exists_no_follow(folder)) throw make_error(ErrorKind::conflict, "{} exists already", quote(folder));
    sys::make_directory(folder, 0755);
    try {
        const auto templates = folder + "/templates";
        sys::make_directory(templates, 0755);
        // The content of a folder: a link of that name is followed, but not out of the container.
        containers.copy_from(id, "/templates/.", templates, {});
        const auto root = sys::open_directory(templates);
        Pruner pruner(root);
        pruner.prune(root, "", 0);
        return std::move(pruner.left_out);
    } catch (...) {
        sys::remove_tree(folder);
        throw;
    }
}

}  // namespace compose
