#include "sys/file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include <climits>

#include "sys/error.hpp"

namespace compose::sys {

Fd open_file(const std::string& path, int flags, unsigned mode) {
    Fd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
    if (!fd) throw errno_error("open {}", path);
    return fd;
}

Fd open_for_reading(const std::string& path) {
    return open_file(path, O_RDONLY);
}

Fd create_file(const std::string& path, unsigned mode) {
    return open_file(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

std::string read_all(FdRef fd, std::size_t limit) {
    std::string out;
    char buffer[16384];
    for (;;) {
        const auto n = ::read(fd.get(), buffer, sizeof buffer);
        if (n < 0) {
            if (errno == EINTR) continue;
            throw errno_error("read");
        }
        if (n == 0) return out;
        if (out.size() + static_cast<std::size_t>(n) > limit) throw make_error("larger than {} bytes", limit);
        out.append(buffer, static_cast<std::size_t>(n));
    }
}

namespace {

std::string read_opened(const Fd& fd, const std::string& path, std::size_t limit) {
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) throw errno_error("stat {}", path);
    if (S_ISDIR(info.st_mode)) throw make_error(ErrorKind::invalid, "read {}: is a directory", path);
    if (!S_ISREG(info.st_mode)) throw make_error(ErrorKind::invalid, "read {}: is not a regular file", path);
    if (static_cast<std::uint64_t>(info.st_size) > limit)
        throw make_error(ErrorKind::invalid, "read {}: larger than {} bytes", path, limit);
    return in_context([&] { return "read " + path; }, [&] { return read_all(fd, limit); });
}

}  // namespace

std::string read_file(const std::string& path, std::size_t limit) {
    return read_opened(open_file(path, O_RDONLY | O_NONBLOCK), path, limit);
}

std::optional<std::string> read_file_if_exists(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!fd && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
    if (!fd) throw errno_error("open {}", path);
    return read_opened(fd, path, std::size_t{64} << 20U);
}

void write_all(FdRef fd, std::string_view data) {
    while (!data.empty()) {
        const auto n = ::write(fd.get(), data.data(), data.size());
        if (n < 0) {
            if (errno == EINTR) continue;
            throw errno_error("write");
        }
        data.remove_prefix(static_cast<std::size_t>(n));
    }
}

void write_file(const std::string& path, std::string_view data, unsigned mode) {
    const auto fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    in_context([&] { return "write " + path; }, [&] { write_all(fd, data); });
}

void write_owned_file(const std::string& path, std::string_view data, const Ownership& ownership) {
    ::unlink(path.c_str());
    const auto fd = open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    in_context([&] { return "write " + path; }, [&] { write_all(fd, data); });
    if (::fchown(fd.get(), ownership.uid, ownership.gid) != 0) throw errno_error("change owner of {}", path);
    if (::fchmod(fd.get(), ownership.mode) != 0) throw errno_error("change mode of {}", path);
}

bool is_regular_file(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

bool is_socket(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode);
}

std::string own_program() {
    return std::filesystem::read_symlink("/proc/self/exe").string();
}

bool is_program(const std::string& path) {
    return is_regular_file(path) && ::access(path.c_str(), X_OK) == 0;
}

void replace_file(const std::string& path, std::string_view data, unsigned mode) {
    const auto temporary = fmt::format("{}.tmp-{}", path, ::getpid());
    const auto parent = std::filesystem::path(path).parent_path().string();
    try {
        const auto fd = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode);
        write_all(fd, data);
        if (::fsync(fd.get()) != 0) throw errno_error("fsync {}", temporary);
        if (::rename(temporary.c_str(), path.c_str()) != 0) throw errno_error("rename to {}", path);
        const auto dir = open_file(parent.empty() ? "." : parent, O_RDONLY | O_DIRECTORY);
        ::fsync(dir.get());
    } catch (...) {
        ::unlink(temporary.c_str());
        throw;
    }
}

void rename_over(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) throw errno_error("rename to {}", to);
}

void make_directory(const std::string& path, unsigned mode) {
    if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) throw errno_error("create directory {}", path);
}

void make_directories(const std::string& path, unsigned mode) {
    for (std::size_t at = 1; (at = path.find('/', at)) != std::string::npos; ++at)
        if (::mkdir(path.substr(0, at).c_str(), mode) != 0 && errno != EEXIST)
            throw errno_error("create directory {}", path.substr(0, at));
    make_directory(path, mode);
}

bool exists_no_follow(const std::string& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0;
}

bool exists(const std::string& path) {
    return ::access(path.c_str(), F_OK) == 0;
}

bool is_directory(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

void remove_file(const std::string& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw errno_error("remove {}", path);
}

std::string absolute_path(const std::string& path) {
    auto full = path.starts_with('/') ? std::filesystem::path(path) : std::filesystem::path(current_directory()) / path;
    auto clean = full.lexically_normal().string();
    if (clean.size() > 1 && clean.ends_with('/')) clean.pop_back();
    return clean;
}

std::string real_path(const std::string& path) {
    char buffer[PATH_MAX];
    if (::realpath(path.c_str(), buffer) == nullptr) throw errno_error("resolve {}", path);
    return buffer;
}

std::string current_directory() {
    char buffer[PATH_MAX];
    if (::getcwd(buffer, sizeof buffer) == nullptr) throw errno_error("find the current directory");
    return buffer;
}

std::optional<FileLock> FileLock::try_acquire(const std::string& path) {
    for (;;) {
        auto fd = open_file(path, O_RDWR | O_CREAT, 0600);
        if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
            if (errno == EWOULDBLOCK) return std::nullopt;
            throw errno_error("lock {}", path);
        }
        // A holder may have removed the file between our open and its end: a lock on that inode excludes nobody.
        struct stat ours {
        }, there{};
        if (::fstat(fd.get(), &ours) != 0) throw errno_error("stat {}", path);
        if (::stat(path.c_str(), &there) == 0 && ours.st_ino == there.st_ino && ours.st_dev == there.st_dev)
            return FileLock(std::move(fd));
    }
}

std::optional<FileLock> FileLock::acquire(const std::string& path, std::chrono::milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    for (auto pause = std::chrono::milliseconds(1);; pause = std::min(pause * 2, std::chrono::milliseconds(20))) {
        if (auto lock = try_acquire(path)) return lock;
        if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
        std::this_thread::sleep_for(pause);
    }
}

bool FileLock::held(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!fd) return false;
    return ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace compose::sys
