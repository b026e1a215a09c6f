#include "sys/tree.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <thread>

#include <climits>

#include "sys/dir.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"

namespace compose::sys {

namespace {

FileKind kind_of(mode_t mode) {
    switch (mode & S_IFMT) {
        case S_IFDIR:
            return FileKind::directory;
        case S_IFLNK:
            return FileKind::symlink;
        case S_IFIFO:
            return FileKind::fifo;
        case S_IFCHR:
            return FileKind::character;
        case S_IFBLK:
            return FileKind::block;
        case S_IFSOCK:
            return FileKind::socket;
        default:
            return FileKind::regular;
    }
}

FileInfo to_info(const struct stat& s) {
    return {.kind = kind_of(s.st_mode),
            .owner = s.st_uid,
            .group = s.st_gid,
            .mode = s.st_mode & 07777U,
            .size = s.st_size,
            .mtime_s = s.st_mtim.tv_sec,
            .mtime_ns = s.st_mtim.tv_nsec,
            .device = s.st_rdev,
            .inode = s.st_ino,
            .links = s.st_nlink,
            .ctime_s = s.st_ctim.tv_sec,
            .ctime_ns = s.st_ctim.tv_nsec,
            .file_system = s.st_dev};
}

/// True: made. False: the name is taken.
bool made(int result, const char* what, const std::string& name) {
    if (result == 0) return true;
    if (errno == EEXIST) return false;
    throw errno_error("{} {}", what, name);
}

void check(int result, const char* what, const std::string& name = "file") {
    if (result != 0) throw errno_error("{} {}", what, name);
}

struct Times {
    timespec values[2];
    Times(std::int64_t seconds, std::int64_t nanoseconds)
        : values{{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                 {.tv_sec = std::clamp<std::int64_t>(seconds, std::numeric_limits<std::int64_t>::min() / 2,
                                                     std::numeric_limits<std::int64_t>::max() / 2),
                  .tv_nsec = std::clamp<std::int64_t>(nanoseconds, 0, 999'999'999)}} {}
};

}  // namespace

std::optional<FileInfo> inspect_at(FdRef dir, const std::string& name) {
    struct stat info {};
    if (::fstatat(dir.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) return to_info(info);
    if (errno == ENOENT) return std::nullopt;
    throw errno_error("stat {}", name);
}

FileInfo inspect(FdRef fd) {
    struct stat info {};
    check(::fstat(fd.get(), &info), "stat");
    return to_info(info);
}

std::optional<Fd> create_file_at(FdRef dir, const std::string& name) {
    Fd fd(::openat(dir.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (fd) return fd;
    if (errno == EEXIST) return std::nullopt;
    throw errno_error("create {}", name);
}

Fd open_mounted_file_at(FdRef dir, const std::string& name) {
    Fd fd(::openat(dir.get(), name.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!fd) throw errno_error("open {}", name);
    if (inspect(fd).kind != FileKind::regular) throw make_error("{} is no regular file", name);
    return fd;
}

bool create_directory_at(FdRef dir, const std::string& name, unsigned mode) {
    return made(::mkdirat(dir.get(), name.c_str(), mode), "create directory", name);
}

bool create_symlink_at(const std::string& target, FdRef dir, const std::string& name) {
    return made(::symlinkat(target.c_str(), dir.get(), name.c_str()), "create symbolic link", name);
}

bool create_fifo_at(FdRef dir, const std::string& name) {
    return made(::mknodat(dir.get(), name.c_str(), S_IFIFO | 0600U, 0), "create fifo", name);
}

bool create_whiteout_at(FdRef dir, const std::string& name) {
    return made(::mknodat(dir.get(), name.c_str(), S_IFCHR, ::makedev(0, 0)), "create whiteout", name);
}

bool create_link_at(FdRef from, const std::string& name, FdRef dir, const std::string& new_name) {
    return made(::linkat(from.get(), name.c_str(), dir.get(), new_name.c_str(), 0), "create hard link", new_name);
}

std::optional<Fd> open_directory_at(FdRef dir, const std::string& name) {
    Fd fd(::openat(dir.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (fd) return fd;
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return std::nullopt;
    throw errno_error("open {}", name);
}

void rename_at(FdRef from, const std::string& name, FdRef dir, const std::string& new_name) {
    check(::renameat(from.get(), name.c_str(), dir.get(), new_name.c_str()), "rename", name);
}

std::string read_link_at(FdRef dir, const std::string& name) {
    char buffer[PATH_MAX];
    const auto size = ::readlinkat(dir.get(), name.c_str(), buffer, sizeof buffer);
    if (size < 0) throw errno_error("read link {}", name);
    return {buffer, static_cast<std::size_t>(size)};
}

void set_owner(FdRef fd, std::uint32_t owner, std::uint32_t group) {
    check(::fchown(fd.get(), owner, group), "change owner of");
}

void set_owner_at(FdRef dir, const std::string& name, std::uint32_t owner, std::uint32_t group) {
    check(::fchownat(dir.get(), name.c_str(), owner, group, AT_SYMLINK_NOFOLLOW), "change owner of", name);
}

void set_mode(FdRef fd, unsigned mode) {
    check(::fchmod(fd.get(), mode), "change mode of");
}

void set_mode_at(FdRef dir, const std::string& name, unsigned mode) {
    // fchmodat follows links, and its AT_SYMLINK_NOFOLLOW needs /proc here: the callers have made the entry themselves
    // in a directory that nobody else can reach, and it is no link.
    check(::fchmodat(dir.get(), name.c_str(), mode, 0), "change mode of", name);
}

void set_mtime(FdRef fd, std::int64_t seconds, std::int64_t nanoseconds) {
    const Times times(seconds, nanoseconds);
    check(::futimens(fd.get(), times.values), "set the time of");
}

void set_mtime_at(FdRef dir, const std::string& name, std::int64_t seconds, std::int64_t nanoseconds) {
    const Times times(seconds, nanoseconds);
    check(::utimensat(dir.get(), name.c_str(), times.values, AT_SYMLINK_NOFOLLOW), "set the time of", name);
}

void set_length(FdRef fd, std::int64_t length) {
    check(::ftruncate(fd.get(), length), "set the length of");
}

void seek(FdRef fd, std::int64_t offset) {
    if (::lseek(fd.get(), offset, SEEK_SET) < 0) throw errno_error("seek");
}

int set_xattr(FdRef fd, const std::string& name, const std::string& value) noexcept {
    return ::fsetxattr(fd.get(), name.c_str(), value.data(), value.size(), 0) == 0 ? 0 : errno;
}

int set_xattr_at(FdRef dir, const std::string& file, const std::string& name, const std::string& value) noexcept {
    // setxattrat(2) is newer than the kernels we support; /proc/self/fd of the directory names the parent, and
    // lsetxattr does not follow the last component.
    char path[PATH_MAX];
    const auto end = fmt::format_to_n(path, sizeof path - 1, "/proc/self/fd/{}/{}", dir.get(), file);
    if (end.size >= sizeof path) return ENAMETOOLONG;
    *end.out = '\0';
    return ::lsetxattr(path, name.c_str(), value.data(), value.size(), 0) == 0 ? 0 : errno;
}

void sync_file_system(FdRef fd) {
    check(::syncfs(fd.get()), "sync", "file system");
}

std::int64_t free_space(FdRef fd) {
    struct statvfs info {};
    check(::fstatvfs(fd.get(), &info), "ask for the free space of", "file system");
    return static_cast<std::int64_t>(info.f_bavail) * static_cast<std::int64_t>(info.f_frsize);
}

Fd open_lock_file(const std::string& path) {
    return open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
}

bool lock(FdRef fd, LockMode mode, std::chrono::milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    const int operation = mode == LockMode::shared ? LOCK_SH : LOCK_EX;
    for (auto pause = std::chrono::milliseconds(1);; pause = std::min(pause * 2, std::chrono::milliseconds(20))) {
        if (::flock(fd.get(), operation | LOCK_NB) == 0) return true;
        if (errno != EWOULDBLOCK && errno != EINTR) throw errno_error("lock");
        if (std::chrono::steady_clock::now() >= deadline) return false;
        std::this_thread::sleep_for(pause);
    }
}

}  // namespace compose::sys
