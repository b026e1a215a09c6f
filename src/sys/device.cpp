#include "sys/device.hpp"

#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sys/error.hpp"
#include "sys/kernel_abi.hpp"

namespace compose::sys {
namespace {

bool is_character_device(FdRef fd, unsigned major_number, unsigned minor_number) {
    struct stat info {};
    return ::fstat(fd.get(), &info) == 0 && S_ISCHR(info.st_mode) &&
           info.st_rdev == makedev(major_number, minor_number);
}

}  // namespace

std::optional<DeviceNumber> device_at(const std::string& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0 || (!S_ISCHR(info.st_mode) && !S_ISBLK(info.st_mode))) return std::nullopt;
    return DeviceNumber{S_ISBLK(info.st_mode), major(info.st_rdev), minor(info.st_rdev),
                        info.st_mode & 07777U, info.st_uid,         info.st_gid};
}

bool is_null_device(FdRef fd) {
    return is_character_device(fd, 1, 3);
}

bool is_terminal_master(FdRef fd) {
    struct statfs fs {};
    return is_character_device(fd, 5, 2) && ::fstatfs(fd.get(), &fs) == 0 && fs.f_type == DEVPTS_SUPER_MAGIC;
}

void attach_device_program(FdRef cgroup, const std::vector<bpf_insn>& program) {
    static constexpr char kLicense[] = "Apache-2.0";
    bpf_attr attributes{};
    attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attributes.insns = reinterpret_cast<std::uint64_t>(program.data());
    attributes.insn_cnt = static_cast<std::uint32_t>(program.size());
    attributes.license = reinterpret_cast<std::uint64_t>(kLicense);
    const Fd loaded(static_cast<int>(::syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes)));
    if (!loaded) throw errno_error("load the device program of a cgroup");
    attributes = {};
    attributes.target_fd = static_cast<std::uint32_t>(cgroup.get());
    attributes.attach_bpf_fd = static_cast<std::uint32_t>(loaded.get());
    attributes.attach_type = BPF_CGROUP_DEVICE;
    attributes.attach_flags = BPF_F_ALLOW_MULTI;
    if (::syscall(SYS_bpf, BPF_PROG_ATTACH, &attributes, sizeof attributes) != 0)
        throw errno_error("attach the device program of a cgroup");
}

}  // namespace compose::sys
