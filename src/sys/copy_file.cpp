#include "sys/copy_file.hpp"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "sys/error.hpp"
#include "sys/tree.hpp"

namespace compose::sys {

namespace {

bool is_copied_xattr(std::string_view name) {
    // Orders to overlayfs and labels of the host's own policy do not belong to the content.
    return !name.starts_with("trusted.") && !name.starts_with("user.overlay.") && name != "security.selinux";
}

void copy_bytes(FdRef from, FdRef to, off_t offset, off_t size) {
    off_t in = offset, out = offset;
    while (size > 0) {
        const auto n = ::copy_file_range(from.get(), &in, to.get(), &out, static_cast<std::size_t>(size), 0);
        if (n > 0) {
            size -= n;
            continue;
        }
        if (n == 0) return;  // the file became shorter
        if (errno == EINTR) continue;
        if (errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS) throw errno_error("copy data");
        // Between file systems, still inside the kernel.
        if (::lseek(to.get(), out, SEEK_SET) == out) {
            const auto sent = ::sendfile(to.get(), from.get(), &in, static_cast<std::size_t>(size));
            if (sent > 0) {
                out += sent;
                size -= sent;
                continue;
            }
            if (sent == 0) return;
        }
        char buffer[65536];
        const auto got = ::pread(from.get(), buffer, sizeof buffer, in);
        if (got < 0) throw errno_error("read");
        if (got == 0) return;
        const auto part = std::min<off_t>(got, size);
        for (off_t done = 0; done < part;) {
            const auto put = ::pwrite(to.get(), buffer + done, static_cast<std::size_t>(part - done), out + done);
            if (put < 0) throw errno_error("write");
            done += put;
        }
        in += part;
        out += part;
        size -= part;
    }
}

}  // namespace

void copy_file_xattrs(FdRef from, FdRef to) {
    const auto size = ::flistxattr(from.get(), nullptr, 0);
    if (size <= 0) return;
    std::string names(static_cast<std::size_t>(size), '\0');
    const auto read = ::flistxattr(from.get(), names.data(), names.size());
    if (read < 0) return;
    names.resize(static_cast<std::size_t>(read));
    for (std::size_t at = 0; at < names.size();) {
        const std::string name(names.c_str() + at);
        at += name.size() + 1;
        if (!is_copied_xattr(name)) continue;
        const auto length = ::fgetxattr(from.get(), name.c_str(), nullptr, 0);
        if (length < 0) continue;
        std::string value(static_cast<std::size_t>(length), '\0');
        if (::fgetxattr(from.get(), name.c_str(), value.data(), value.size()) != length) continue;
        const int code = set_xattr(to, name, value);
        if (code != 0 && code != ENOTSUP && code != EPERM) throw error_from(code, "copy attribute " + name);
    }
}

void copy_file_data(FdRef from, FdRef to, std::int64_t size) {
    for (off_t at = 0; at < size;) {
        const off_t data = ::lseek(from.get(), at, SEEK_DATA);
        if (data < 0 && errno == ENXIO) break;  // only a hole is left
        if (data < 0) {
            copy_bytes(from, to, 0, size);
            break;
        }
        off_t hole = ::lseek(from.get(), data, SEEK_HOLE);
        if (hole < 0) hole = size;
        copy_bytes(from, to, data, hole - data);
        at = hole;
    }
    set_length(to, size);
}

}  // namespace compose::sys
