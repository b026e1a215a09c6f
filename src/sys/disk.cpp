#include "sys/disk.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <exception>
#include <thread>

#include "base/strings.hpp"
#include "sys/command.hpp"
#include "sys/dir.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"
#include "sys/loop_device.hpp"

namespace compose::sys {
namespace {

constexpr std::chrono::minutes kLongest{2};

void configure(const Fd& fs, unsigned command, const char* key, const char* value, const std::string& file) {
    if (::syscall(SYS_fsconfig, fs.get(), command, key, value, 0) != 0) throw errno_error("mount {}", file);
}

// Users of `docker` who are not root by login often have no sbin in their PATH.
Environment tool_environment() {
    Environment environment = environment_snapshot();
    auto& path = environment["PATH"];
    path += (path.empty() ? "" : ":") + std::string("/usr/sbin:/sbin");
    environment.erase("MKE2FS_CONFIG");
    return environment;
}

void format_disk(const std::string& file) {
    Command command;
    // No share for root, no room to grow. The journal stays: after a power loss the files must be whole. Nothing is
    // zeroed: the file is all holes.
    command.argv = {"mkfs.ext4",
                    "-q",
                    "-F",
                    "-b",
                    "4096",
                    "-m",
                    "0",
                    "-O",
                    "^resize_inode",
                    "-E",
                    "lazy_itable_init=1,lazy_journal_init=1,nodiscard,root_owner=0:0",
                    file};
    command.environment = tool_environment();
    command.merge_stderr = true;
    command.timeout = kLongest;
    CommandResult result;
    try {
        result = run_command(command);
    } catch (const Error& error) {
        throw make_error(ErrorKind::unavailable, "the size of a container's own files takes mkfs.ext4: {}",
                         error.what())
            .with_hint("install e2fsprogs");
    }
    if (!result.ok()) throw make_error("mkfs.ext4 {}: {}", file, trim(result.out));
}

}  // namespace

void make_disk(const std::string& file, std::int64_t size) {
    {
        const Fd fd = open_file(file, O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (::ftruncate(fd.get(), size) != 0) throw errno_error("make {} {} bytes long", file, size);
    }
    format_disk(file);
}

Fd open_disk(const std::string& file) {
    const LoopDevice device = open_loop_device(file);
    const Fd fs(static_cast<int>(::syscall(SYS_fsopen, "ext4", FSOPEN_CLOEXEC)));
    if (!fs) throw errno_error("mount {}: this kernel has no ext4", file);
    configure(fs, FSCONFIG_SET_STRING, "source", device.path.c_str(), file);
    configure(fs, FSCONFIG_SET_FLAG, "discard", nullptr, file);  // what is removed inside becomes a hole in the file
    configure(fs, FSCONFIG_SET_FLAG, "noinit_itable", nullptr, file);
    configure(fs, FSCONFIG_CMD_CREATE, nullptr, nullptr, file);
    Fd mount(static_cast<int>(::syscall(SYS_fsmount, fs.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV)));
    if (!mount) throw errno_error("mount {}", file);
    return mount;
}

void mount_disk(const Disk& disk) {
    const Fd mount = open_disk(disk.file);
    const Fd place = open_directory(disk.place);
    constexpr unsigned kEmptyPaths = 0x4 | 0x40;
    if (::syscall(SYS_move_mount, mount.get(), "", place.get(), "", kEmptyPaths) != 0)
        throw errno_error("mount {} on {}", disk.file, disk.place);
}

void visit_disk(const Disk& disk, const std::function<void()>& body) {
    if (disk.file.empty()) return body();
    const auto visit = [&] {
        if (::unshare(CLONE_NEWNS) != 0) throw errno_error("make a mount namespace");
        if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) throw errno_error("make mounts private");
        mount_disk(disk);
        // The namespace ends with the thread, but a moment after that can be joined.
        struct Leave {
            const std::string& place;
            ~Leave() { (void)::umount2(place.c_str(), MNT_DETACH); }
        } leave{disk.place};
        body();
    };
    std::exception_ptr failure;
    std::thread visitor([&] {
        try {
            visit();
        } catch (...) {
            failure = std::current_exception();
        }
    });
    visitor.join();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace compose::sys
