#include "sys/copy_tree.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <deque>
#include <map>
#include <vector>

#include "sys/copy_file.hpp"
#include "sys/dir.hpp"
#include "sys/error.hpp"
#include "sys/tree.hpp"

namespace compose::sys {

namespace {

constexpr std::uint64_t kInside = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;

void copy_attributes(const FileInfo& info, FdRef from, FdRef to) {
    set_owner(to, info.owner, info.group);
    set_mode(to, info.mode);
    copy_file_xattrs(from, to);
    set_mtime(to, info.mtime_s, info.mtime_ns);
}

// Directories are opened by their path from the top, each for the time it is worked on, so that the depth of a tree
// costs no descriptors; the path of an image's file has at most 4,095 bytes.
class TreeCopier {
public:
    TreeCopier(FdRef source, FdRef target, bool linking) : source_(source), target_(target), linking_(linking) {}

    void run() {
        std::vector<std::string> order{"."};
        for (std::size_t i = 0; i < order.size(); ++i)
            in_context([&] { return "copy " + order[i]; }, [&, path = order[i]] { copy_entries(path, order); });
        // Deepest first: a directory's time changes while its content is made.
        for (auto path = order.rbegin(); path != order.rend(); ++path) {
            const auto from = open_in(source_, *path), to = open_in(target_, *path);
            copy_attributes(inspect(from), from, to);
        }
    }

private:
    static Fd open_in(FdRef top, const std::string& path) {
        Fd fd(try_openat2(top, path.c_str(), O_RDONLY | O_DIRECTORY, 0, kInside));
        if (!fd) throw errno_error("open {}", path);
        return fd;
    }

    void copy_entries(const std::string& path, std::vector<std::string>& order) {
        const auto from = open_in(source_, path), to = open_in(target_, path);
        for (const auto& name : list_directory(FdRef(from))) {
            const auto info = inspect_at(from, name);
            if (!info) continue;
            const auto full = path == "." ? name : path + "/" + name;
            if (info->kind == FileKind::directory) {
                create_directory_at(to, name, 0700);
                order.push_back(full);
            } else if (linking_) {
                if (!create_link_at(from, name, to, name)) throw make_error("link {}: it is there", full);
            } else if (!link_to_copy(*info, to, name, full)) {
                copy_entry(*info, from, to, name);
            }
        }
    }

    /// Another name of a file that was copied already.
    bool link_to_copy(const FileInfo& info, FdRef to, const std::string& name, const std::string& full) {
        if (info.links < 2) return false;
        const auto [found, fresh] = copies_.emplace(info.inode, full);
        if (fresh) return false;
        return create_link_at(target_, found->second, to, name);
    }

    static void copy_entry(const FileInfo& info, FdRef from, FdRef to, const std::string& name) {
        switch (info.kind) {
            case FileKind::regular: {
                Fd file(try_openat2(from, name.c_str(), O_RDONLY | O_NONBLOCK, 0, kInside));
                if (!file) throw errno_error("open {}", name);
                const auto copy = create_file_at(to, name);
                if (!copy) throw make_error("create {}: it is there", name);
                copy_file_data(file, *copy, info.size);
                copy_attributes(info, file, *copy);
                return;
            }
            case FileKind::symlink:
                create_symlink_at(read_link_at(from, name), to, name);
                break;
            case FileKind::fifo:
                create_fifo_at(to, name);
                set_mode_at(to, name, info.mode);
                break;
            default:
                return;
        }
        set_owner_at(to, name, info.owner, info.group);
        set_mtime_at(to, name, info.mtime_s, info.mtime_ns);
    }

    FdRef source_, target_;
    bool linking_;
    std::map<std::uint64_t, std::string> copies_;  // inode -> path in the target
};

}  // namespace

void copy_tree(FdRef source, FdRef target) {
    TreeCopier(source, target, false).run();
}

void link_tree(FdRef source, FdRef target) {
    TreeCopier(source, target, true).run();
}

}  // namespace compose::sys
