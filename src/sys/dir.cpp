#include "sys/dir.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include "base/strings.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"

namespace compose::sys {

namespace {
constexpr std::uint64_t kResolveInRoot = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
}

int try_openat2(FdRef dir, const char* path, int flags, unsigned mode, std::uint64_t resolve) noexcept {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(static_cast<unsigned>(flags | O_CLOEXEC));
    how.mode = mode;
    how.resolve = resolve;
    for (;;) {
        const auto fd = static_cast<int>(::syscall(SYS_openat2, dir.get(), path, &how, sizeof how));
        // EAGAIN: a rename elsewhere raced with a ".." of this lookup; the kernel asks to try again.
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) return fd;
    }
}

Fd open_beneath(FdRef dir, const std::string& path, int flags, unsigned mode) {
    Fd fd(try_openat2(dir, path.c_str(), flags, mode, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS));
    if (!fd) throw errno_error("open {}", path);
    return fd;
}

bool leads_beneath(FdRef dir, const std::string& path) {
    return static_cast<bool>(
        Fd(try_openat2(dir, path.c_str(), O_PATH, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)));
}

Fd open_in_root(FdRef root, const std::string& path, int flags, unsigned mode) {
    Fd fd(try_openat2(root, path.c_str(), flags, mode, kResolveInRoot));
    if (!fd) throw errno_error("open {}", path);
    return fd;
}

std::optional<Fd> find_directory_in_root(FdRef root, const std::string& path, Missing missing) {
    const int flags = O_RDONLY | O_DIRECTORY | (missing == Missing::anything_else_or_link ? O_NOFOLLOW : 0);
    Fd fd(try_openat2(root, path.c_str(), flags, 0, kResolveInRoot));
    if (fd) return fd;
    if (errno == ENOENT) return std::nullopt;
    if (missing != Missing::not_there && (errno == ENOTDIR || errno == ELOOP)) return std::nullopt;
    throw errno_error("open {}", path);
}

std::optional<Fd> find_regular_file_in_root(FdRef root, const std::string& path) {
    // First without opening it: opening a device may do something.
    Fd place(try_openat2(root, path.c_str(), O_PATH, 0, kResolveInRoot));
    if (!place && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) return std::nullopt;
    if (!place) throw errno_error("open {}", path);
    struct stat info {};
    if (::fstat(place.get(), &info) != 0) throw errno_error("stat {}", path);
    if (!S_ISREG(info.st_mode)) return std::nullopt;
    const auto self = fmt::format("/proc/self/fd/{}", place.get());
    Fd fd(::open(self.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!fd) throw errno_error("open {}", path);
    return fd;
}

void make_directories_in_root(FdRef root, const std::string& path) {
    std::string done = ".";
    for (const auto& part : split(path, '/')) {
        if (part.empty() || part == ".") continue;
        const Fd above(try_openat2(root, done.c_str(), O_PATH | O_DIRECTORY, 0, kResolveInRoot));
        if (!above) throw errno_error("open {}", done);
        done += "/" + part;
        const Fd here(try_openat2(root, done.c_str(), O_PATH | O_DIRECTORY, 0, kResolveInRoot));
        if (here) continue;
        if (errno != ENOENT) throw errno_error("open {}", done);
        if (::mkdirat(above.get(), part.c_str(), 0755) != 0 && errno != EEXIST)
            throw errno_error("create directory {}", done);
    }
}

Fd open_directory(const std::string& path) {
    return open_file(path, O_RDONLY | O_DIRECTORY);
}

namespace {

struct CloseDir {
    void operator()(DIR* dir) const noexcept { ::closedir(dir); }
};
using Dir = std::unique_ptr<DIR, CloseDir>;

/// Takes over `fd`.
Dir read_directory(Fd fd) {
    Dir dir(::fdopendir(fd.get()));
    if (!dir) throw errno_error("read directory");
    static_cast<void>(fd.release());
    return dir;
}

bool is_dots(const char* name) {
    return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0;
}

// A container can make trees far deeper than there are descriptors. A directory met at kMaxDepth is therefore moved up
// to the top of the tree under a new name and removed from there.
class TreeRemover {
public:
    explicit TreeRemover(FdRef top) : top_(top) {}

    void remove_entry(FdRef parent, const std::string& name, unsigned char type, const std::string& path, int depth) {
        if (type != DT_DIR) {
            if (::unlinkat(parent.get(), name.c_str(), 0) == 0 || errno == ENOENT) return;
            if (errno != EISDIR) return fail(errno_error("remove {}", path));
        }
        if (depth >= kMaxDepth) {
            return move_up(parent, name, path);
        }
        remove_directory(parent, name, path, depth);
    }

    void finish() {
        while (!moved_.empty()) {
            const auto [name, path] = moved_.back();
            moved_.pop_back();
            remove_directory(top_, name, path, 1);
        }
        if (error_) throw *error_;
    }

private:
    static constexpr int kMaxDepth = 48;

    void remove_directory(FdRef parent, const std::string& name, const std::string& path, int depth) {
        Fd fd(try_openat2(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                          RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH));
        if (!fd) {
            if (errno == ENOENT) return;
            if (errno == EXDEV) return fail(make_error(ErrorKind::conflict, "remove {}: it is a mount point", path));
            return fail(errno_error("remove {}", path));
        }
        const auto dir = read_directory(std::move(fd));
        const bool failed_before = error_.has_value();
        // Some file systems skip entries when others are removed while reading: read again until nothing is left.
        for (int round = 0; round < 8; ++round) {
            empty(dir.get(), path, depth);
            if (::unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return;
            if (errno != ENOTEMPTY || error_.has_value() != failed_before) break;
            ::rewinddir(dir.get());
        }
        fail(errno_error("remove {}", path));
    }

    void move_up(FdRef parent, const std::string& name, const std::string& path) {
        for (int attempt = 0; attempt < 1000; ++attempt) {
            const auto moved = fmt::format(".compose-remove-{}-{}", ::getpid(), counter_++);
            if (::renameat2(parent.get(), name.c_str(), top_.get(), moved.c_str(), RENAME_NOREPLACE) == 0) {
                // For messages only; whole paths would make deep trees cost the square of their depth.
                moved_.emplace_back(moved, path.size() > 1000 ? path.substr(0, 1000) + "..." : path);
                return;
            }
            if (errno != EEXIST) break;
        }
        fail(errno_error("move {} before its removal", path));
    }

    void empty(DIR* dir, const std::string& path, int depth) {
        const FdRef fd(::dirfd(dir));
        while (const auto* entry = ::readdir(dir)) {
            if (is_dots(entry->d_name)) continue;
            remove_entry(fd, entry->d_name, entry->d_type, path + "/" + entry->d_name, depth + 1);
        }
    }

    void fail(Error error) {
        if (!error_) error_ = std::move(error);
    }

    FdRef top_;
    std::vector<std::pair<std::string, std::string>> moved_;  // name in top_, path in messages
    std::optional<Error> error_;
    unsigned counter_ = 0;
};

void remove_named(FdRef parent, const std::string& name, const std::string& path) {
    if (::unlinkat(parent.get(), name.c_str(), 0) == 0 || errno == ENOENT) return;
    if (errno != EISDIR) throw errno_error("remove {}", path);
    Fd top(try_openat2(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                       RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH));
    if (!top && errno == ENOENT) return;
    if (!top && errno == EXDEV) throw make_error(ErrorKind::conflict, "remove {}: it is a mount point", path);
    if (!top) throw errno_error("remove {}", path);
    for (int round = 0;; ++round) {
        TreeRemover remover(top);
        for (const auto& child : list_directory(top)) {
            remover.remove_entry(top, child, DT_UNKNOWN, path + "/" + child, 1);
        }
        remover.finish();
        if (::unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return;
        if (errno != ENOTEMPTY || round == 8) throw errno_error("remove {}", path);
    }
}

}  // namespace

bool is_empty_directory(const std::string& path) {
    const auto dir = read_directory(open_directory(path));
    errno = 0;
    while (const auto* entry = ::readdir(dir.get()))
        if (!is_dots(entry->d_name)) return false;
    if (errno != 0) throw errno_error("read directory {}", path);
    return true;
}

std::vector<std::string> list_directory(FdRef fd) {
    Fd own(::openat(fd.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!own) throw errno_error("read directory");
    const auto dir = read_directory(std::move(own));
    std::vector<std::string> names;
    errno = 0;
    while (const auto* entry = ::readdir(dir.get()))
        if (!is_dots(entry->d_name)) names.emplace_back(entry->d_name);
    if (errno != 0) throw errno_error("read directory");
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<std::string> list_directory(const std::string& path) {
    const auto dir = open_directory(path);
    return in_context([&] { return path; }, [&] { return list_directory(FdRef(dir)); });
}

void remove_tree_at(FdRef dir, const std::string& name) {
    remove_named(dir, name, name);
}

void remove_tree(const std::string& path) {
    const auto slash = path.find_last_of('/');
    const auto parent_path = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
    const auto name = slash == std::string::npos ? path : path.substr(slash + 1);
    if (name.empty() || name == "." || name == "..") throw make_error("remove {}: not a name in a directory", path);
    Fd parent(::open(parent_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent && errno == ENOENT) return;
    if (!parent) throw errno_error("remove {}", path);
    remove_named(parent, name, path);
}

}  // namespace compose::sys
