
#include "runtime/child.hpp"
#include "sys/kernel_abi.hpp"
#include "sys/raw.hpp"

namespace compose::runtime {
namespace {

namespace raw = sys::raw;

constexpr int kMaxLinks = 40;

// A path under construction in a fixed buffer.
struct Path {
    char text[PATH_MAX];
    std::size_t size = 0;

    Path() noexcept { text[0] = '\0'; }
    bool append(const char* more, std::size_t count) noexcept {
        if (size + count + 1 > sizeof text) return false;
        for (std::size_t i = 0; i < count; ++i) text[size + i] = more[i];
        size += count;
        text[size] = '\0';
        return true;
    }
    [[nodiscard]] const char* or_here() const noexcept { return size == 0 ? "." : text; }
    void drop_last() noexcept {
        while (size > 0 && text[size - 1] != '/') --size;
        if (size > 0) --size;
        text[size] = '\0';
    }
};

std::size_t length(const char* text) noexcept {
    std::size_t n = 0;
    while (text[n] != '\0') ++n;
    return n;
}

struct Walk {
    int root;
    bool directory;
    Path done;  // what has been resolved: no links, no ".."
    Path rest;
    int links = 0;
};

int make_entry_at(int parent, const char* name, bool directory) noexcept {
    if (directory) {
        const int made = raw::mkdirat(parent, name, 0755);
        return made == -EEXIST ? 0 : made;
    }
    const int fd = raw::openat(parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0644);
    if (fd < 0) return fd == -EEXIST ? 0 : fd;
    raw::close(fd);
    return 0;
}

// Puts the text of the link `name` in front of what is left to walk.
int follow(Walk& walk, int parent, const char* name, std::size_t consumed) noexcept {
    if (++walk.links > kMaxLinks) return -ELOOP;
    Path next;
    const long n = raw::readlinkat(parent, name, next.text, sizeof next.text - 1);
    if (n < 0) return static_cast<int>(n);
    next.size = static_cast<std::size_t>(n);
    next.text[next.size] = '\0';
    if (next.text[0] == '/') {
        walk.done.size = 0;
        walk.done.text[0] = '\0';
    }
    if (!next.append("/", 1) || !next.append(walk.rest.text + consumed, walk.rest.size - consumed))
        return -ENAMETOOLONG;
    walk.rest = next;
    return 0;
}

// One component. Returns 1 when the walk is over.
int step(Walk& walk) noexcept {
    const char* text = walk.rest.text;
    std::size_t start = 0;
    while (text[start] == '/') ++start;
    if (text[start] == '\0') return 1;
    std::size_t end = start;
    while (text[end] != '\0' && text[end] != '/') ++end;
    std::size_t after = end;
    while (text[after] == '/') ++after;
    const bool last = text[after] == '\0';
    const std::size_t size = end - start;
    char name[NAME_MAX + 1];
    if (size > NAME_MAX) return -ENAMETOOLONG;
    for (std::size_t i = 0; i < size; ++i) name[i] = text[start + i];
    name[size] = '\0';

    const bool dot = size == 1 && name[0] == '.';
    const bool dots = size == 2 && name[0] == '.' && name[1] == '.';
    int result = 0;
    if (dots) walk.done.drop_last();
    if (!dot && !dots) {
        const int parent = raw::openat2(walk.root, walk.done.or_here(), O_PATH | O_DIRECTORY, kInRoot);
        if (parent < 0) return parent;
        struct statfs fs;
        // Nothing can be made in /proc, and its links to descriptors say one thing and mean another.
        if (raw::fstatfs(parent, fs) == 0 && fs.f_type == PROC_SUPER_MAGIC) {
            raw::close(parent);
            return -ELOOP;
        }
        struct statx info;
        result = raw::statx(parent, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, info);
        if (result == 0 && S_ISLNK(info.stx_mode)) {
            result = follow(walk, parent, name, end);
            raw::close(parent);
            return result;
        }
        if (result == -ENOENT) result = make_entry_at(parent, name, walk.directory || !last);
        raw::close(parent);
        if (result < 0) return result;
        if ((walk.done.size > 0 && !walk.done.append("/", 1)) || !walk.done.append(name, size)) return -ENAMETOOLONG;
    }
    Path rest;
    rest.append(text + end, walk.rest.size - end);
    walk.rest = rest;
    return 0;
}

}  // namespace

int open_or_make(int root, const char* path, bool directory) noexcept {
    const int there = raw::openat2(root, path[0] == '\0' ? "." : path, O_PATH, kInRoot);
    if (there != -ENOENT) return there;
    Walk walk{root, directory, {}, {}};
    if (!walk.rest.append(path, length(path))) return -ENAMETOOLONG;
    for (;;) {
        const int result = step(walk);
        if (result < 0) return result;
        if (result == 1) break;
    }
    return raw::openat2(root, walk.done.or_here(), O_PATH, kInRoot);
}

int open_real_directory(Child& child, int root, const char* path) noexcept {
    int fd = raw::openat2(root, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, kPlainBeneath);
    if (fd == -ENOENT) {
        const int made = raw::mkdirat(root, path, 0755);
        if (made < 0 && made != -EEXIST) return made;
        fd = raw::openat2(root, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, kPlainBeneath);
    }
    if (fd == -ELOOP || fd == -ENOTDIR || fd == -EXDEV) return child.fail_with(fd, Detail::not_a_real_directory);
    return fd;
}

}  // namespace compose::runtime
