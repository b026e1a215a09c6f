#include "runtime/cgroup_stats.hpp"

#include <charconv>

#include "base/strings.hpp"
#include "sys/kernel_files.hpp"

namespace compose::runtime {
namespace {

// "8:0 rbytes=4096 wbytes=0 rios=1 ..." or "8:0 Read 4096"; lines of sums have no colon.
void add_io(const std::vector<std::string>& lines, std::string_view read, std::string_view written,
            CgroupStats& stats) {
    const auto add = [](std::string_view digits, std::optional<std::uint64_t>& sum) {
        std::uint64_t value = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), value);
        sum = sum.value_or(0) + value;
    };
    for (const auto& line : lines) {
        const auto words = split(line, ' ');
        if (words.size() < 3 || words[0].find(':') == std::string::npos) continue;
        if (words[1] == read) add(words[2], stats.io_read);
        if (words[1] == written) add(words[2], stats.io_written);
        for (const auto& word : words) {
            if (read.ends_with('=') && word.starts_with(read)) add(word.substr(read.size()), stats.io_read);
            if (written.ends_with('=') && word.starts_with(written)) add(word.substr(written.size()), stats.io_written);
        }
    }
}

}  // namespace

std::uint64_t read_oom_kills(const CgroupPlace& place) {
    const std::string file = place.of("memory") + (place.v2 ? "/memory.events" : "/memory.oom_control");
    return sys::read_kernel_field(file, "oom_kill").value_or(0);
}

CgroupStats read_stats(const CgroupPlace& place) {
    CgroupStats result;
    const std::string memory = place.of("memory");
    constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 62U;  // v1 has no word for it
    constexpr std::uint64_t kNanosecondsPerMicrosecond = 1000;
    result.memory_current = sys::read_kernel_number(memory + (place.v2 ? "/memory.current" : "/memory.usage_in_bytes"));
    result.memory_peak = sys::read_kernel_number(memory + (place.v2 ? "/memory.peak" : "/memory.max_usage_in_bytes"));
    result.memory_limit = sys::read_kernel_number(memory + (place.v2 ? "/memory.max" : "/memory.limit_in_bytes"));
    if (result.memory_limit && *result.memory_limit > kUnlimited) result.memory_limit.reset();
    result.oom_kills = read_oom_kills(place);
    if (place.v2 || place.unified)
        result.cpu_usage_usec = sys::read_kernel_field(place.v2_directory() + "/cpu.stat", "usage_usec");
    else if (const auto usage = sys::read_kernel_number(place.of("cpuacct") + "/cpuacct.usage"))
        result.cpu_usage_usec = *usage / kNanosecondsPerMicrosecond;
    result.memory_inactive_file =
        sys::read_kernel_field(memory + "/memory.stat", place.v2 ? "inactive_file" : "total_inactive_file");
    if (place.v2)
        add_io(split(sys::read_kernel_file(place.directory("") + "/io.stat"), '\n'), "rbytes=", "wbytes=", result);
    else
        add_io(split(sys::read_kernel_file(place.of("blkio") + "/blkio.throttle.io_service_bytes_recursive"), '\n'),
               "Read", "Write", result);
    result.pids_current = sys::read_kernel_number(place.of("pids") + "/pids.current");
    return result;
}

}  // namespace compose::runtime
