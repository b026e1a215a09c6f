#include "sys/private_path.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "sys/error.hpp"
#include "sys/file.hpp"

namespace compose::sys {

namespace {

void check_owner_and_mode(const struct stat& info, const std::string& path) {
    if (info.st_uid != ::geteuid() && info.st_uid != 0)
        throw make_error(ErrorKind::unavailable, "{} belongs to user {}, not to the one that runs compose", path,
                         info.st_uid)
            .with_hint("remove it, or name another folder with COMPOSE_STATE_DIR and COMPOSE_RUN_DIR");
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        throw make_error(ErrorKind::unavailable, "{} can be written by others (mode {:04o})", path,
                         info.st_mode & 07777U)
            .with_hint("make sure that nobody tampered with it, then: chmod go-w " + path);
}

}  // namespace

void make_private_directory(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) {
        if (errno != ENOENT) throw errno_error("use {}", path);
        make_directories(path, 0700);
        if (::stat(path.c_str(), &info) != 0) throw errno_error("use {}", path);
    }
    if (!S_ISDIR(info.st_mode)) throw make_error(ErrorKind::unavailable, "{} is not a directory", path);
    check_owner_and_mode(info, path);
}

bool make_private_file(const std::string& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) {
        if (errno != ENOENT) throw errno_error("use {}", path);
        // mknod and not open: closing a second descriptor of a database file would drop the locks that SQLite holds on
        // it in this process.
        if (::mknod(path.c_str(), S_IFREG | 0600U, 0) != 0 && errno != EEXIST) {
            if (errno == EROFS) return false;
            throw errno_error("create {}", path);
        }
        if (::lstat(path.c_str(), &info) != 0) throw errno_error("use {}", path);
    }
    if (!S_ISREG(info.st_mode)) throw make_error(ErrorKind::unavailable, "{} is not a regular file", path);
    check_owner_and_mode(info, path);
    return true;
}

void require_safe_file(const std::string& path) {
    const auto require = [](const std::string& place) {
        struct stat info {};
        if (::stat(place.c_str(), &info) != 0) throw errno_error("use {}", place);
        if (info.st_uid == 0 && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0) return;
        throw make_error(ErrorKind::unavailable, "{} may be written by others than root (user {}, mode {:04o})", place,
                         info.st_uid, info.st_mode & 07777U)
            .with_hint("make sure that nobody tampered with it, then: chown root, chmod go-w " + place);
    };
    const std::string real = real_path(path);
    require(real);
    require(real.substr(0, std::max<std::size_t>(real.rfind('/'), 1)));
}

}  // namespace compose::sys
