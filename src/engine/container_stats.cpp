#include "engine/container_stats.hpp"

#include <charconv>
#include <thread>

#include <fmt/format.h>

#include "base/strings.hpp"
#include "runtime/cgroup.hpp"
#include "sys/clock.hpp"
#include "sys/kernel_files.hpp"

namespace compose::engine {
namespace {

std::uint64_t number(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

/// "  eth0: 1296 16 0 0 0 0 0 0 1296 16 ...": bytes in is the first number, bytes out the ninth.
void add_traffic(pid_t pid, ContainerStats& out) {
    for (const std::string& line : split(sys::read_kernel_file(fmt::format("/proc/{}/net/dev", pid)), '\n')) {
        const auto colon = line.find(':');
        if (colon == std::string::npos || trim(std::string_view(line).substr(0, colon)) == "lo") continue;
        auto fields = split(line.substr(colon + 1), ' ');
        std::erase(fields, "");
        if (fields.size() < 9) continue;
        out.received += number(fields[0]);
        out.sent += number(fields[8]);
    }
}

/// Where no controller counts them: what the living processes have read and written.
void add_process_io(const std::vector<pid_t>& pids, ContainerStats& out) {
    for (const pid_t pid : pids)
        for (const std::string& line : split(sys::read_kernel_file(fmt::format("/proc/{}/io", pid)), '\n')) {
            if (line.starts_with("read_bytes: ")) out.read += number(std::string_view(line).substr(12));
            if (line.starts_with("write_bytes: ")) out.written += number(std::string_view(line).substr(13));
        }
}

}  // namespace

ContainerStats read_stats(const runtime::ContainerSpec& spec, pid_t pid) {
    constexpr std::uint64_t kNanosecondsPerMicrosecond = 1000;
    const runtime::Cgroup cgroup(runtime::cgroup_root(), spec.cgroup_parent, spec.id);
    const runtime::CgroupStats group = cgroup.stats();
    ContainerStats out;
    out.time = sys::monotonic_now().time_since_epoch().count();
    out.cpu_ns = group.cpu_usage_usec.value_or(0) * kNanosecondsPerMicrosecond;
    out.cpus = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    // As Docker counts: what the kernel would give back first is no use.
    const std::uint64_t used = group.memory_current.value_or(0);
    out.memory = used - std::min(used, group.memory_inactive_file.value_or(0));
    constexpr std::uint64_t kKilo = 1024;
    const std::uint64_t all = sys::read_kernel_field("/proc/meminfo", "MemTotal:").value_or(0) * kKilo;
    out.memory_limit = group.memory_limit ? std::min(*group.memory_limit, all) : all;
    out.processes = group.pids_current.value_or(0);
    if (group.io_read || group.io_written) {
        out.read = group.io_read.value_or(0);
        out.written = group.io_written.value_or(0);
    } else {
        add_process_io(cgroup.processes(), out);
    }
    if (spec.network == runtime::NamespaceMode::own) add_traffic(pid, out);
    return out;
}

}  // namespace compose::engine
