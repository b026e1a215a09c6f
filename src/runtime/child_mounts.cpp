
#include "runtime/child.hpp"
#include "sys/kernel_abi.hpp"
#include "sys/mount.hpp"
#include "sys/raw.hpp"

namespace compose::runtime {
namespace {

namespace raw = sys::raw;

constexpr unsigned kClone = 1;           // OPEN_TREE_CLONE
constexpr unsigned kRecursive = 0x8000;  // AT_RECURSIVE
constexpr unsigned kEmptyPath = AT_EMPTY_PATH;

// Attaches the tree that is to be /, on some directory of the old root.
int attach_root(Child& child, int tree, const char* on) noexcept {
    const int target = raw::openat(AT_FDCWD, on, O_PATH | O_DIRECTORY);
    if (target < 0) return target;
    const int result = raw::attach(tree, target);
    raw::close(target);
    child.handle(Handle::root) = tree;
    return result;
}

int configure(int fs, const Span<Option>& options) noexcept {
    for (const Option& option : options) {
        const int result = option.value == nullptr ? raw::fsconfig(fs, FSCONFIG_SET_FLAG, option.key, nullptr)
                                                   : raw::fsconfig(fs, FSCONFIG_SET_STRING, option.key, option.value);
        if (result < 0) return result;
    }
    return 0;
}

// A text in a fixed buffer, for the one mount call that still wants all options in one.
struct Text {
    char data[PATH_MAX];
    std::size_t size = 0;
    bool fits = true;

    void add(const char* more) noexcept {
        for (; *more != '\0'; ++more) {
            if (size + 1 >= sizeof data) {
                fits = false;
                return;
            }
            data[size++] = *more;
        }
        data[size] = '\0';
    }
    void add_number(int number) noexcept {
        char digits[12];
        std::size_t n = sizeof digits;
        digits[--n] = '\0';
        do digits[--n] = static_cast<char>('0' + number % 10);
        while ((number /= 10) > 0);
        add(digits + n);
    }
    // By descriptor, since paths may be long or hold a colon or a comma.
    int add_directory(const char* path) noexcept {
        const int fd = raw::openat(AT_FDCWD, path, O_PATH | O_DIRECTORY);
        if (fd < 0) return fd;
        add("/proc/self/fd/");
        add_number(fd);
        return 0;
    }
};

bool equal(const char* a, const char* b) noexcept {
    while (*a != '\0' && *a == *b) ++a, ++b;
    return *a == *b;
}

// Kernels before 6.7 know no way to give lower directories one by one.
int overlay_root_by_mount(Child& child, const Op& op) noexcept {
    Text text;
    text.add("lowerdir=");
    for (std::size_t i = 0; i < op.list.size; ++i) {
        if (i > 0) text.add(":");
        if (const int result = text.add_directory(op.list[i]); result < 0) return result;
    }
    for (const Option& option : op.options) {
        text.add(",");
        text.add(option.key);
        text.add("=");
        if (equal(option.key, "context")) {  // it has commas of its own
            text.add("\"");
            text.add(option.value);
            text.add("\"");
        } else if (option.value[0] != '/') {
            text.add(option.value);
        } else if (const int result = text.add_directory(option.value); result < 0) {
            return result;
        }
    }
    if (!text.fits) return -E2BIG;
    const long mounted = raw::call(SYS_mount, "overlay", op.target, "overlay", 0, text.data);
    if (mounted < 0) return static_cast<int>(mounted);
    const int root = raw::openat(AT_FDCWD, op.target, O_PATH | O_DIRECTORY);
    child.handle(Handle::root) = root;
    return root < 0 ? root : 0;
}

int overlay_tree(const Op& op) noexcept {
    const int fs = raw::fsopen("overlay");
    if (fs < 0) return fs;
    int result = 0;
    for (const char* lower : op.list) {
        result = raw::fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", lower);
        if (result < 0) break;
    }
    if (result == 0) result = configure(fs, op.options);
    if (result == 0) result = raw::fsconfig(fs, FSCONFIG_CMD_CREATE, nullptr, nullptr);
    if (result == 0) result = raw::fsmount(fs, op.attributes);
    raw::close(fs);
    return result;
}

// A detached copy of what lies at `path` in a tree, whose links can't lead out of it.
int copy_below(int tree, const char* path, bool recursive) noexcept {
    const int inside = raw::openat2(tree, path, O_PATH, kInRoot);
    if (inside < 0) return inside;
    const int copy = raw::open_tree(inside, "", kClone | kEmptyPath | (recursive ? kRecursive : 0));
    raw::close(inside);
    return copy;
}

bool is_directory(int fd) noexcept {
    struct statx info;
    return raw::statx(fd, "", AT_EMPTY_PATH, info) == 0 && S_ISDIR(info.stx_mode);
}

bool starts_with(const char* text, const char* prefix) noexcept {
    for (; *prefix != '\0'; ++text, ++prefix)
        if (*text != *prefix) return false;
    return true;
}

// Where a link in the image led a volume to: never onto the kernel's own trees, unless the spec named that place.
int check_target(Child& child, const Op& op, int target, bool directory) noexcept {
    struct statfs fs;
    struct statx there;
    struct statx root;
    int result = raw::fstatfs(target, fs);
    if (result < 0) return result;
    if ((fs.f_type == PROC_SUPER_MAGIC && !starts_with(op.target, "proc/")) ||
        (fs.f_type == SYSFS_MAGIC && !starts_with(op.target, "sys/") && !equal(op.target, "sys")))
        return child.fail_with(-EPERM, Detail::kernel_tree);
    result = raw::statx(target, "", AT_EMPTY_PATH, there);
    if (result == 0) result = raw::statx(child.handle(Handle::root), "", AT_EMPTY_PATH, root);
    if (result < 0) return result;
    if (there.stx_ino == root.stx_ino && there.stx_dev_major == root.stx_dev_major &&
        there.stx_dev_minor == root.stx_dev_minor && there.stx_mnt_id == root.stx_mnt_id)
        return child.fail_with(-EPERM, Detail::is_the_root);
    if (S_ISDIR(there.stx_mode) != directory)
        return child.fail_with(directory ? -ENOTDIR : -EISDIR, Detail::type_differs);
    return 0;
}

int open_target(Child& child, const Op& op, bool directory) noexcept {
    if (op.place != Handle::none) return open_real_directory(child, child.handle(op.place), op.target);
    const int target = open_or_make(child.handle(Handle::root), op.target, directory);
    if (target < 0) return target;
    if (const int result = check_target(child, op, target, directory); result < 0) {
        raw::close(target);
        return result;
    }
    return target;
}

// A path that a container may be changing right now is looked up once more: it must lead to what was just mounted.
int check_mounted(Child& child, const Op& op, int tree) noexcept {
    if (op.place != Handle::none) return 0;
    struct statx expected;
    struct statx found;
    const int again = raw::openat2(child.handle(Handle::root), op.target, O_PATH, kInRoot);
    if (again < 0) return child.fail_with(again, Detail::changed_meanwhile);
    int result = raw::statx(tree, "", AT_EMPTY_PATH, expected);
    if (result == 0) result = raw::statx(again, "", AT_EMPTY_PATH, found);
    raw::close(again);
    if (result < 0) return result;
    return expected.stx_mnt_id == found.stx_mnt_id ? 0 : child.fail_with(-EAGAIN, Detail::changed_meanwhile);
}

int set_mode(int fs, unsigned mode) noexcept {
    char text[5] = "0000";
    for (int i = 3; i >= 0; --i, mode >>= 3U) text[i] = static_cast<char>('0' + (mode & 7U));
    return raw::fsconfig(fs, FSCONFIG_SET_STRING, "mode", text);
}

int create_file_system(Child& child, const Op& op) noexcept {
    const int fs = raw::fsopen(op.source);
    if (fs < 0) return fs;
    int result = configure(fs, op.options);
    if (result == 0 && op.inherit_mode) {
        struct statx covered;
        const int there = raw::openat2(child.handle(Handle::root), op.target, O_PATH | O_DIRECTORY, kInRoot);
        if (there >= 0) {
            if (raw::statx(there, "", AT_EMPTY_PATH, covered) == 0) result = set_mode(fs, covered.stx_mode & 07777U);
            raw::close(there);
        }
    }
    if (result == 0) result = raw::fsconfig(fs, FSCONFIG_CMD_CREATE, nullptr, nullptr);
    if (result == 0) result = raw::fsmount(fs, op.attributes);
    raw::close(fs);
    return result;
}

int attach_checked(Child& child, const Op& op, int tree) noexcept {
    const int target = open_target(child, op, is_directory(tree));
    if (target < 0) return target;
    int result = raw::attach(tree, target);
    raw::close(target);
    if (result == 0) result = check_mounted(child, op, tree);
    return result;
}

int mask_with_null(Child& child, int target) noexcept {
    const int null = raw::open_tree(child.handle(Handle::dev), "null", kClone | AT_SYMLINK_NOFOLLOW);
    if (null < 0) return null;
    struct statx info;
    int result = raw::statx(null, "", AT_EMPTY_PATH, info);
    if (result == 0 && (!S_ISCHR(info.stx_mode) || info.stx_rdev_major != 1 || info.stx_rdev_minor != 3))
        result = child.fail_with(-EINVAL, Detail::not_null);
    if (result == 0) result = raw::attach(null, target);
    raw::close(null);
    return result;
}

int mask_with_directory(Child& child, int target) noexcept {
    using namespace sys::mount_attribute;
    if (child.mask_directory >= 0) {
        const int copy = raw::open_tree(child.mask_directory, "", kClone | kEmptyPath);
        if (copy < 0) return copy;
        const int result = raw::attach(copy, target);
        raw::close(copy);
        return result;
    }
    const int fs = raw::fsopen("tmpfs");
    if (fs < 0) return fs;
    int result = raw::fsconfig(fs, FSCONFIG_SET_STRING, "nr_blocks", "1");
    // One inode is the root itself; a file is made of none.
    if (result == 0) result = raw::fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "1");
    if (result == 0) result = raw::fsconfig(fs, FSCONFIG_SET_STRING, "mode", "755");
    if (result == 0) result = raw::fsconfig(fs, FSCONFIG_CMD_CREATE, nullptr, nullptr);
    if (result == 0) result = raw::fsmount(fs, kReadOnly | kNosuid | kNodev | kNoexec);
    raw::close(fs);
    if (result < 0) return result;
    child.mask_directory = result;
    return raw::attach(child.mask_directory, target);
}

}  // namespace

int open_source(Child& child, const Op& op) noexcept {
    int tree = -1;
    if (op.target[0] == '\0') {
        tree = raw::open_tree(AT_FDCWD, op.source, kClone | (op.recursive ? kRecursive : 0));
    } else {
        const int whole = raw::openat(AT_FDCWD, op.source, O_PATH | O_DIRECTORY);
        if (whole < 0) return whole;
        tree = copy_below(whole, op.target, op.recursive);
        raw::close(whole);
    }
    if (tree < 0) return tree;
    child.setup.slots[op.slot] = tree;
    return 0;
}

int open_image(Child& child, const Op& op) noexcept {
    int tree = op.list.size == 1 ? raw::open_tree(AT_FDCWD, op.list[0], kClone) : overlay_tree(op);
    if (tree >= 0 && op.target[0] != '\0') {
        const int part = copy_below(tree, op.target, false);
        raw::close(tree);
        tree = part;
    }
    if (tree < 0) return tree;
    child.setup.slots[op.slot] = tree;
    return 0;
}

// A mount can only be copied from inside the namespace where it is, so this process goes there for a moment. It looks
// at nothing but a directory that must be a tmpfs, and no process of that container can see this one.
int open_shared_memory(Child& child, const Op& op) noexcept {
    const int home = raw::openat(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY);
    if (home < 0) return home;
    const int other = child.setup.others[static_cast<std::size_t>(Other::ipc)];
    int result = static_cast<int>(raw::call(SYS_setns, other, CLONE_NEWNS));
    int tree = -1;
    if (result == 0) {
        const int there = raw::openat2(AT_FDCWD, "dev/shm", O_PATH | O_DIRECTORY, kPlainBeneath);
        struct statfs fs;
        result = there < 0 ? there : raw::fstatfs(there, fs);
        if (result == 0 && fs.f_type != TMPFS_MAGIC) result = -ENODEV;
        if (result == 0) result = tree = raw::open_tree(there, "", kClone | kEmptyPath);
        raw::close(there);
        // Whatever happened: going on in the other container's mounts is no choice.
        if (raw::call(SYS_setns, home, CLONE_NEWNS) < 0) raw::end_process(128);
    }
    raw::close(home);
    if (result < 0) return result;
    child.setup.slots[op.slot] = tree;
    return 0;
}

int isolate_mounts() noexcept {
    return raw::mount_setattr(AT_FDCWD, "/", kRecursive, 0, MS_SLAVE);
}

// The parent mounted it: this process may use no block device any more, or not yet.
int attach_disk(Child& child, const Op& op) noexcept {
    const int place = raw::openat(AT_FDCWD, op.source, O_PATH | O_DIRECTORY);
    if (place < 0) return place;
    const int result = raw::attach(child.setup.disk, place);
    raw::close(place);
    return result;
}

int overlay_root(Child& child, const Op& op) noexcept {
    const int tree = overlay_tree(op);
    if (tree == -EINVAL || tree == -ENOSYS) return overlay_root_by_mount(child, op);
    return tree < 0 ? tree : attach_root(child, tree, op.target);
}

int bind_root(Child& child, const Op& op) noexcept {
    const int tree = raw::open_tree(AT_FDCWD, op.source, kClone);
    if (tree < 0) return tree;
    const int result = raw::mount_setattr(tree, "", kEmptyPath, op.attributes, MS_PRIVATE);
    return result < 0 ? result : attach_root(child, tree, op.target);
}

int mount_new(Child& child, const Op& op) noexcept {
    const int tree = create_file_system(child, op);
    if (tree < 0) return tree;
    const int result = attach_checked(child, op, tree);
    if (result < 0) return result;
    if (op.save == Handle::proc)
        child.handle(Handle::proc_sys) = raw::openat2(tree, "sys", O_PATH | O_DIRECTORY, kPlainBeneath);
    if (op.save == Handle::none)
        raw::close(tree);
    else
        child.handle(op.save) = tree;
    return 0;
}

int set_attributes(Child& child, const Op& op) noexcept {
    const unsigned flags = kEmptyPath | (op.recursive ? kRecursive : 0);
    return raw::mount_setattr(child.setup.slots[op.slot], "", flags, op.attributes, 0, op.a);
}

int attach_source(Child& child, const Op& op) noexcept {
    const int tree = child.setup.slots[op.slot];
    int result = raw::mount_setattr(tree, "", kEmptyPath | (op.flag ? kRecursive : 0), 0, op.propagation);
    if (result == 0 && op.attributes != 0)
        result = raw::mount_setattr(tree, "", kEmptyPath | (op.recursive ? kRecursive : 0), op.attributes, 0);
    if (result == 0) result = attach_checked(child, op, tree);
    raw::close(tree);
    return result;
}

int mask(Child& child, const Op& op) noexcept {
    const int target = raw::openat2(child.handle(Handle::root), op.target, O_PATH, kPlainBeneath);
    if (target == -ENOENT) return 0;
    if (target < 0) return target;
    const int result = is_directory(target) ? mask_with_directory(child, target) : mask_with_null(child, target);
    raw::close(target);
    return result;
}

int make_path_read_only(Child& child, const Op& op) noexcept {
    using namespace sys::mount_attribute;
    const int target = raw::openat2(child.handle(Handle::root), op.target, O_PATH, kPlainBeneath);
    if (target == -ENOENT) return 0;
    if (target < 0) return target;
    const int tree = raw::open_tree(target, "", kClone | kRecursive | kEmptyPath);
    if (tree < 0) return tree;
    int result = raw::mount_setattr(tree, "", kEmptyPath | kRecursive, kReadOnly | kNosuid | kNodev | kNoexec, 0);
    if (result == 0) result = raw::attach(tree, target);
    raw::close(tree);
    raw::close(target);
    return result;
}

int seal(Child& child, const Op& op) noexcept {
    return raw::mount_setattr(child.handle(op.place), "", kEmptyPath, op.attributes, 0);
}

// The old root comes to lie on top of the new one at "/", and is taken off there.
int pivot(Child& child) noexcept {
    long result = raw::call(SYS_fchdir, child.handle(Handle::root));
    if (result == 0) result = raw::call(SYS_pivot_root, ".", ".");
    if (result == 0) result = raw::call(SYS_umount2, ".", MNT_DETACH);
    if (result == 0) result = raw::call(SYS_chdir, "/");
    return static_cast<int>(result);
}

}  // namespace compose::runtime
