
#include "runtime/child.hpp"
#include "sys/kernel_abi.hpp"
#include "sys/raw.hpp"

namespace compose::runtime {
namespace {

namespace raw = sys::raw;

bool is_device(int fd, unsigned major, unsigned minor) noexcept {
    struct statx info;
    return raw::statx(fd, "", AT_EMPTY_PATH, info) == 0 && S_ISCHR(info.stx_mode) && info.stx_rdev_major == major &&
           info.stx_rdev_minor == minor;
}

// The multiplexer of the container's own devpts: by the descriptor of the mount that was just made, or, in a running
// container, by its path, which must then prove to be one.
int open_master(Child& child) noexcept {
    constexpr int kFlags = O_RDWR | O_NOCTTY;
    if (child.handle(Handle::pts) >= 0) return raw::openat2(child.handle(Handle::pts), "ptmx", kFlags, kPlainBeneath);
    const int fd = raw::openat2(AT_FDCWD, "dev/pts/ptmx", kFlags | O_NONBLOCK, kPlainBeneath);
    if (fd < 0) return fd;
    struct statfs fs;
    if (raw::fstatfs(fd, fs) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC || !is_device(fd, 5, 2)) {
        raw::close(fd);
        return child.fail_with(-ENODEV, Detail::not_a_terminal);
    }
    raw::call(SYS_fcntl, fd, F_SETFL, kFlags);
    return fd;
}

// The container's console is the slave that we opened, never what some path says.
int mount_console(Child& child) noexcept {
    constexpr unsigned kClone = 1;
    const int dev = child.handle(Handle::dev);
    int result = raw::mknodat(dev, "console", S_IFREG | 0600, 0);
    if (result < 0) return result;
    const int target = raw::openat2(dev, "console", O_PATH | O_NOFOLLOW, kPlainBeneath);
    if (target < 0) return target;
    const int tree = raw::open_tree(child.slave, "", kClone | AT_EMPTY_PATH);
    if (tree < 0) return tree;
    result = raw::attach(tree, target);
    raw::close(tree);
    raw::close(target);
    return result;
}

}  // namespace

int make_entry(Child& child, const Op& op) noexcept {
    const int place = child.handle(op.place);
    switch (op.kind) {
        case OpKind::directory:
            return raw::mkdirat(place, op.target, op.mode);
        case OpKind::symlink:
            return raw::symlinkat(op.source, place, op.target);
        case OpKind::empty_file:
            return raw::mknodat(place, op.target, S_IFREG | op.mode, 0);
        default:
            break;
    }
    const int result = raw::mknodat(place, op.target, op.mode, op.a);
    if (result < 0) return result;
    if (op.b != 0) {
        const int owned = static_cast<int>(raw::fchownat(place, op.target, static_cast<unsigned>(op.b >> 32U),
                                                         static_cast<unsigned>(op.b), AT_SYMLINK_NOFOLLOW));
        if (owned < 0) return owned;
    }
    // The file mode creation mask took the write bits.
    return static_cast<int>(raw::call(SYS_fchmodat, place, op.target, op.mode & 07777U));
}

int open_terminal(Child& child) noexcept {
    const int master = open_master(child);
    if (master < 0) return master;
    int unlock = 0;
    int result = raw::ioctl(master, TIOCSPTLCK, &unlock);
    if (result < 0) return result;
    child.slave = static_cast<int>(raw::call(SYS_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (child.slave < 0) return child.slave;
    if (child.plan.rows != 0 && child.plan.columns != 0) {
        winsize size{};
        size.ws_row = child.plan.rows;
        size.ws_col = child.plan.columns;
        result = raw::ioctl(master, TIOCSWINSZ, &size);
        if (result < 0) return result;
    }
    if (child.handle(Handle::dev) >= 0) result = mount_console(child);
    if (result < 0) return result;
    Report message;
    message.kind = Report::Kind::terminal;
    report(child, message, master);
    raw::close(master);
    return child.handle(Handle::dev) >= 0 ? take_terminal(child) : 0;
}

int take_terminal(Child& child) noexcept {
    if (child.slave < 0) return 0;
    int result = static_cast<int>(raw::call(SYS_ioctl, child.slave, TIOCSCTTY, 0));
    for (int fd = 0; fd < 3 && result >= 0; ++fd) result = raw::dup3(child.slave, fd, 0);
    raw::close(child.slave);
    child.slave = -1;
    return result < 0 ? result : 0;
}

int open_null(Child& child, const Op& op) noexcept {
    const int null = op.place == Handle::dev
                         ? raw::openat2(child.handle(Handle::dev), "null", O_RDWR, kPlainBeneath)
                         : raw::openat2(AT_FDCWD, "dev/null", O_RDWR | O_NONBLOCK | O_NOCTTY, kInRoot);
    if (null < 0) return null;
    if (!is_device(null, 1, 3)) return child.fail_with(-EINVAL, Detail::not_null);
    int result = 0;
    for (int fd = 0; fd < 3 && result >= 0; ++fd)
        if ((op.mode >> static_cast<unsigned>(fd) & 1U) != 0) result = raw::dup3(null, fd, 0);
    raw::close(null);
    return result < 0 ? result : 0;
}

}  // namespace compose::runtime
