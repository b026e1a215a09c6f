#include "sys/loop_device.hpp"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "base/strings.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"
#include "sys/kernel_files.hpp"

namespace compose::sys {
namespace {

// A device that is just being given up takes moments.
constexpr std::chrono::seconds kPatience{2};
constexpr std::chrono::milliseconds kPause{2};
// Others on the host take free devices, too.
constexpr int kAttempts = 64;

Fd open_device(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (fd) return fd;
    throw make_error(ErrorKind::unavailable, "open {}: {}", path, errno_text(errno))
        .with_hint("limiting the size of a container's own files takes the kernel's loop devices");
}

bool holds(const Fd& device, const struct stat& file) {
    loop_info64 info{};
    return ::ioctl(device.get(), LOOP_GET_STATUS64, &info) == 0 && info.lo_inode == file.st_ino &&
           info.lo_device == file.st_dev;
}

// Once it is open here and still holds the file, it does not go away any more.
std::optional<LoopDevice> find(const Fd& backing, const std::string& file) {
    struct stat info {};
    if (::fstat(backing.get(), &info) != 0) throw errno_error("stat {}", file);
    // The kernel shows paths as this process sees them, or another way when the state folder is mounted twice: the end
    // is the same. Devices of others are not even opened.
    const auto folder = file.rfind('/', file.rfind('/') - 1);
    const std::string tail = file.substr(folder == std::string::npos ? 0 : folder);
    for (const auto& name : kernel_names("/sys/block")) {
        if (!name.starts_with("loop")) continue;
        if (!trim(read_kernel_file("/sys/block/" + name + "/loop/backing_file")).ends_with(tail)) continue;
        LoopDevice found{Fd(::open(("/dev/" + name).c_str(), O_RDWR | O_CLOEXEC)), "/dev/" + name};
        if (found.fd && holds(found.fd, info)) return found;
    }
    return std::nullopt;
}

LoopDevice attach(const Fd& backing, const std::string& file) {
    const Fd control = open_device("/dev/loop-control");
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
        if (number < 0) throw errno_error("find a free loop device");
        LoopDevice device;
        device.path = fmt::format("/dev/loop{}", number);
        device.fd = open_device(device.path);
        loop_config config{};
        config.fd = static_cast<__u32>(backing.get());
        config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
        if (::ioctl(device.fd.get(), LOOP_CONFIGURE, &config) == 0) return device;
        if (errno != EBUSY) throw errno_error("make {} a block device", file);
    }
    throw make_error(ErrorKind::unavailable, "make {} a block device: others take every free loop device", file);
}

}  // namespace

LoopDevice open_loop_device(const std::string& file) {
    const Fd backing = open_file(file, O_RDWR);
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
        // The lock belongs to the open file, which the device keeps: who gets it is alone until the device is gone.
        if (::flock(backing.get(), LOCK_EX | LOCK_NB) == 0) return attach(backing, file);
        if (auto found = find(backing, file)) return std::move(*found);
        if (std::chrono::steady_clock::now() > deadline)
            throw make_error(ErrorKind::conflict, "{} is in use, but by no loop device that can be found", file);
        std::this_thread::sleep_for(kPause);
    }
}

}  // namespace compose::sys
