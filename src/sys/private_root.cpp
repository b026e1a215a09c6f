#include "sys/private_root.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "base/strings.hpp"
#include "sys/dir.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"

namespace compose::sys {

namespace {

constexpr std::uint64_t kInRoot = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;

void set(const Fd& fs, unsigned command, const char* key, const char* value) {
    if (::syscall(SYS_fsconfig, fs.get(), command, key, value, 0) != 0) throw errno_error("configure overlay: {}", key);
}

void set_lowers(const Fd& fs, const std::vector<std::string>& lowers) {
    if (::syscall(SYS_fsconfig, fs.get(), FSCONFIG_SET_STRING, "lowerdir+", lowers.front().c_str(), 0) == 0) {
        for (std::size_t i = 1; i < lowers.size(); ++i) set(fs, FSCONFIG_SET_STRING, "lowerdir+", lowers[i].c_str());
        return;
    }
    std::string list;  // for kernels that know no "lowerdir+"
    for (const auto& lower : lowers) {
        if (!list.empty()) list += ':';
        for (const char c : lower) {
            if (c == ':' || c == '\\') list += '\\';
            list += c;
        }
    }
    set(fs, FSCONFIG_SET_STRING, "lowerdir", list.c_str());
}

Fd mount_overlay(const RootLayout& layout) {
    Fd fs(static_cast<int>(::syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC)));
    if (!fs) throw errno_error("open an overlay file system");
    set_lowers(fs, layout.lower);
    set(fs, FSCONFIG_SET_STRING, "upperdir", layout.upper.c_str());
    set(fs, FSCONFIG_SET_STRING, "workdir", layout.work.c_str());
    set(fs, FSCONFIG_CMD_CREATE, nullptr, nullptr);
    constexpr unsigned kFlags = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
    Fd mount(static_cast<int>(::syscall(SYS_fsmount, fs.get(), FSMOUNT_CLOEXEC, kFlags)));
    if (!mount) throw errno_error("mount the container's root");
    return mount;
}

Fd open_source(const RootLayout::Bind& bind) {
    Fd tree(static_cast<int>(
        ::syscall(SYS_open_tree, AT_FDCWD, bind.source.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE)));
    if (!tree) throw errno_error("open {}", bind.source);
    mount_attr attributes{};
    attributes.attr_set =
        MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | (bind.read_only ? MOUNT_ATTR_RDONLY : 0U);
    if (::syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes) != 0)
        throw errno_error("prepare {}", bind.source);
    return tree;
}

void attach(const Fd& tree, FdRef place, const std::string& what) {
    constexpr unsigned kEmptyPaths = 0x4 | 0x40;
    if (::syscall(SYS_move_mount, tree.get(), "", place.get(), "", kEmptyPaths) != 0)
        throw errno_error("mount {}", what);
}

/// The place of a mount, made when missing, as starting the container would make it.
Fd mount_place(FdRef root, const std::string& target, bool directory) {
    std::string path = ".";
    const auto parts = split(target, '/');
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (parts[i].empty() || parts[i] == ".") continue;
        Fd above(try_openat2(root, path.c_str(), O_PATH | O_DIRECTORY, 0, kInRoot));
        if (!above) throw errno_error("open {}", path);
        path += "/" + parts[i];
        Fd here(try_openat2(root, path.c_str(), O_PATH, 0, kInRoot));
        if (here) continue;
        if (errno != ENOENT) throw errno_error("open {}", path);
        if (directory || i + 1 < parts.size())
            (void)::mkdirat(above.get(), parts[i].c_str(), 0755);
        else
            (void)::mknodat(above.get(), parts[i].c_str(), S_IFREG | 0644, 0);
    }
    Fd place(try_openat2(root, path.c_str(), O_PATH, 0, kInRoot));
    if (!place) throw errno_error("open {}", target);
    return place;
}

bool is_directory_of(const Fd& fd) {
    struct stat info {};
    return ::fstat(fd.get(), &info) == 0 && S_ISDIR(info.st_mode);
}

Fd set_up(const RootLayout& layout) {
    if (::unshare(CLONE_NEWNS) != 0) throw errno_error("make a mount namespace");
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) throw errno_error("make mounts private");
    std::vector<Fd> sources;
    for (const auto& bind : layout.binds) sources.push_back(open_source(bind));
    if (!layout.disk.file.empty()) mount_disk(layout.disk);
    Fd root = mount_overlay(layout);
    attach(root, open_directory(layout.place), "the container's root");
    for (std::size_t i = 0; i < sources.size(); ++i)
        attach(sources[i], mount_place(root, layout.binds[i].target, is_directory_of(sources[i])),
               layout.binds[i].target);
    if (!layout.read_only) return root;
    // Only now that the places of its mounts are made; they keep what they were mounted with.
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    if (::syscall(SYS_mount_setattr, root.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0)
        throw errno_error("make the container's root read-only");
    return root;
}

}  // namespace

struct PrivateRoot::Impl {
    Fd root;
    std::promise<void> over;
    std::thread thread;
};

PrivateRoot::PrivateRoot(const RootLayout& layout) : impl_(std::make_unique<Impl>()) {
    std::promise<void> ready;
    auto is_ready = ready.get_future();
    impl_->thread = std::thread([&] {
        auto is_over = impl_->over.get_future();
        try {
            impl_->root = set_up(layout);
            ready.set_value();
        } catch (...) {
            ready.set_exception(std::current_exception());
            return;
        }
        is_over.wait();
    });
    try {
        is_ready.get();
    } catch (...) {
        impl_->thread.join();
        throw;
    }
}

PrivateRoot::~PrivateRoot() {
    impl_->root.reset();
    impl_->over.set_value();
    impl_->thread.join();
}

FdRef PrivateRoot::root() const {
    return impl_->root;
}

Fd open_root_of(int pid) {
    return Fd(::open(fmt::format("/proc/{}/root", pid).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

}  // namespace compose::sys
