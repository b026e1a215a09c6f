#include "sys/xattr.hpp"

#include <sys/xattr.h>

#include "sys/error.hpp"

namespace compose::sys {

namespace {
bool is_absence(int code) {
    return code == ENODATA || code == ENOTSUP || code == EPERM || code == EBADF;
}
}  // namespace

std::optional<std::string> read_xattr(FdRef fd, const std::string& name) {
    std::string value(256, '\0');
    for (;;) {
        const auto size = ::fgetxattr(fd.get(), name.c_str(), value.data(), value.size());
        if (size >= 0) {
            value.resize(static_cast<std::size_t>(size));
            return value;
        }
        if (errno == ERANGE && value.size() < (std::size_t{64} << 10U)) {
            value.resize(value.size() * 16);
            continue;
        }
        if (is_absence(errno)) return std::nullopt;
        throw errno_error("read attribute {}", name);
    }
}

std::map<std::string, std::string> read_xattrs(FdRef fd) {
    std::map<std::string, std::string> out;
    char buffer[4096];
    std::string names;
    auto size = ::flistxattr(fd.get(), buffer, sizeof buffer);
    if (size >= 0) {
        names.assign(buffer, static_cast<std::size_t>(size));
    } else if (errno == ERANGE) {
        names.resize(std::size_t{64} << 10U);
        size = ::flistxattr(fd.get(), names.data(), names.size());
        names.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    }
    if (size < 0) {
        if (is_absence(errno)) return out;
        throw errno_error("list attributes");
    }
    for (std::size_t at = 0; at < names.size();) {
        std::string name(names.c_str() + at);
        at += name.size() + 1;
        if (auto value = read_xattr(fd, name)) out.emplace(std::move(name), std::move(*value));
    }
    return out;
}

void remove_xattr(FdRef fd, const std::string& name) {
    if (::fremovexattr(fd.get(), name.c_str()) != 0 && !is_absence(errno))
        throw errno_error("remove attribute {}", name);
}

}  // namespace compose::sys
