// Which devices a container may use: the rules, as lines for the v1 controller and as a BPF program for v2. Pure but
// for attach_device_program.
#pragma once

#include <string>
#include <vector>

struct bpf_insn;

namespace compose::runtime {

struct DeviceRule {
    char type = 'c';  // 'c' or 'b'
    int major = -1;   // -1: any
    int minor = -1;
    std::string access;  // of "rwm"
};

/// Everything may be made with mknod; only the harmless devices of /dev, terminals and tun may be opened.
[[nodiscard]] const std::vector<DeviceRule>& default_device_rules();
/// "c 1:3 rwm", "b *:* r", "a *:* rwm" -> rules. Throws Error(invalid) for anything else.
[[nodiscard]] std::vector<DeviceRule> parse_device_rule(const std::string& text);
/// "c 1:3 rwm"
[[nodiscard]] std::string to_line(const DeviceRule& rule);
/// Allows what one of the rules covers, denies all else.
[[nodiscard]] std::vector<bpf_insn> device_program(const std::vector<DeviceRule>& rules);

}  // namespace compose::runtime
