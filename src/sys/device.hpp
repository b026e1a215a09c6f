// Device files: which one is it, and which may a cgroup use.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sys/fd.hpp"

struct bpf_insn;

namespace compose::sys {

struct DeviceNumber {
    bool block = false;
    unsigned major = 0, minor = 0;
    unsigned mode = 0, uid = 0, gid = 0;
};
/// Nothing when `path` is no device itself.
[[nodiscard]] std::optional<DeviceNumber> device_at(const std::string& path);
[[nodiscard]] bool is_null_device(FdRef fd);
/// The master end of a pseudo-terminal, in a devpts.
[[nodiscard]] bool is_terminal_master(FdRef fd);
/// Lets the kernel ask `program` about each use of a device by the processes of a v2 cgroup.
void attach_device_program(FdRef cgroup, const std::vector<bpf_insn>& program);

}  // namespace compose::sys
