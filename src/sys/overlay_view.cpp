#include "sys/overlay_view.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/error.hpp"

namespace compose::sys {

namespace {

int configure(const Fd& fs, unsigned command, const char* key, const char* value) {
    return static_cast<int>(::syscall(SYS_fsconfig, fs.get(), command, key, value, 0));
}

/// The whole list in one value, for kernels that know no "lowerdir+"; ":" separates and "\" escapes.
bool set_lowers_at_once(const Fd& fs, const std::vector<std::string>& lowers) {
    std::string list;
    for (const auto& lower : lowers) {
        if (!list.empty()) list += ':';
        for (const char c : lower) {
            if (c == ':' || c == '\\') list += '\\';
            list += c;
        }
    }
    return configure(fs, FSCONFIG_SET_STRING, "lowerdir", list.c_str()) == 0;
}

void set_lowers(const Fd& fs, const std::vector<std::string>& lowers) {
    for (std::size_t i = 0; i < lowers.size(); ++i) {
        if (configure(fs, FSCONFIG_SET_STRING, "lowerdir+", lowers[i].c_str()) == 0) continue;
        if (i == 0 && errno == EINVAL && set_lowers_at_once(fs, lowers)) return;
        throw errno_error("use layer {}", lowers[i]);
    }
}

Fd open_single(const std::string& lower) {
    Fd tree(static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, lower.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
    if (!tree) throw errno_error("open layer {}", lower);
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
    if (::syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0)
        throw errno_error("make layer {} read-only", lower);
    return tree;
}

}  // namespace

Fd open_overlay_view(const std::vector<std::string>& lowers) {
    if (lowers.empty()) throw Error("an image without layers has no content");
    if (lowers.size() == 1) return open_single(lowers[0]);  // an overlay needs two
    Fd fs(static_cast<int>(::syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC)));
    if (!fs) throw errno_error("open an overlay file system");
    set_lowers(fs, lowers);
    if (configure(fs, FSCONFIG_CMD_CREATE, nullptr, nullptr) != 0) throw errno_error("merge {} layers", lowers.size());
    Fd mount(static_cast<int>(::syscall(SYS_fsmount, fs.get(), FSMOUNT_CLOEXEC,
                                        MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)));
    if (!mount) throw errno_error("merge {} layers", lowers.size());
    return mount;
}

Fd open_writable_overlay(const std::vector<std::string>& lowers, const std::string& upper, const std::string& work) {
    if (lowers.empty()) {
        Fd fd(::open(upper.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!fd) throw errno_error("open {}", upper);
        return fd;
    }
    Fd fs(static_cast<int>(::syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC)));
    if (!fs) throw errno_error("open an overlay file system");
    set_lowers(fs, lowers);
    const std::pair<const char*, const char*> options[] = {
        {"upperdir", upper.c_str()}, {"workdir", work.c_str()}, {"index", "off"}, {"metacopy", "off"}};
    for (const auto& [key, value] : options)
        if (configure(fs, FSCONFIG_SET_STRING, key, value) != 0) throw errno_error("set {} of an overlay", key);
    if (configure(fs, FSCONFIG_CMD_CREATE, nullptr, nullptr) != 0) throw errno_error("merge {} layers", lowers.size());
    Fd mount(static_cast<int>(
        ::syscall(SYS_fsmount, fs.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)));
    if (!mount) throw errno_error("merge {} layers", lowers.size());
    return mount;
}

}  // namespace compose::sys
