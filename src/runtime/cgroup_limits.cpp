#include "runtime/cgroup_limits.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "runtime/cgroup_real_time.hpp"
#include "sys/device.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/kernel_abi.hpp"
#include "sys/kernel_files.hpp"

namespace compose::runtime {
namespace {

constexpr std::int64_t kCpuPeriod = 100000;  // microseconds

// A limit whose file is not there can't be kept: that is an error, not a detail.
void write_limit(const std::string& file, std::string_view value, const char* what) {
    if (!sys::exists(file))
        throw make_error(ErrorKind::unavailable, "this host can't limit {}: {} does not exist", what, file);
    sys::write_kernel_file(file, value);
}

std::string number_or_max(std::int64_t value) {
    return value < 0 ? "max" : std::to_string(value);
}

bool host_has_swap() {
    const std::string text = sys::read_kernel_file("/proc/swaps");
    return std::count(text.begin(), text.end(), '\n') > 1;
}

// Docker's mapping of [2, 262144] onto [1, 10000].
std::uint64_t weight_of_shares(std::uint64_t shares) {
    const std::uint64_t clamped = std::clamp<std::uint64_t>(shares, 2, 262144);
    return 1 + (clamped - 2) * 9999 / 262142;
}

// Docker's mapping of [10, 1000] onto [1, 10000].
std::uint64_t io_weight_of(std::uint64_t weight) {
    const std::uint64_t clamped = std::clamp<std::uint64_t>(weight, 10, 1000);
    return 1 + (clamped - 10) * 9999 / 990;
}

std::string number_of_device(const std::string& path) {
    const auto device = sys::device_at(sys::exists(path) ? sys::real_path(path) : path);
    if (!device || !device->block) throw make_error(ErrorKind::invalid, "{} is no block device of this host", path);
    return fmt::format("{}:{}", device->major, device->minor);
}

// The kernel reads a set of cpus or memory nodes into a mask; a list that can't be one is refused before it is asked.
void check_set(const std::string& text, const char* what) {
    constexpr unsigned kMost = 8191;
    const auto bad = [&] {
        return make_error(ErrorKind::invalid, "{} is not a list of {} like 0-2,4", quote(text), what);
    };
    for (const auto& part : split(text, ',')) {
        const auto dash = part.find('-');
        const auto number = [&](std::string_view digits) {
            unsigned value = 0;
            const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
            if (error != std::errc{} || end != digits.data() + digits.size() || value > kMost) throw bad();
            return value;
        };
        const unsigned first = number(std::string_view(part).substr(0, dash));
        if (dash != std::string::npos && number(std::string_view(part).substr(dash + 1)) < first) throw bad();
    }
}

void apply_memory(const CgroupPlace& place, const Resources& resources) {
    const std::string base = place.of("memory");
    if (resources.memory_reservation)
        write_limit(base + (place.v2 ? "/memory.low" : "/memory.soft_limit_in_bytes"),
                    std::to_string(*resources.memory_reservation), "reserved memory");
    // What v2 has no word for is said by whoever makes the container.
    if (!place.v2 && resources.memory_swappiness)
        write_limit(base + "/memory.swappiness", std::to_string(*resources.memory_swappiness), "swappiness");
    if (!place.v2 && resources.oom_kill_disable)
        write_limit(base + "/memory.oom_control", "1", "the killing for memory");
    if (!resources.memory && !resources.memory_swap) return;
    // As Docker has it: without a word about swap, as much of it as of memory.
    const std::int64_t memory = resources.memory.value_or(-1);
    const std::int64_t both = resources.memory_swap.value_or(memory < 0 ? -1 : 2 * memory);
    if (memory >= 0 && both >= 0 && both < memory)
        throw make_error(ErrorKind::invalid, "the limit of memory and swap ({}) is lower than that of memory ({})",
                         both, memory);
    const std::string swap_file = base + (place.v2 ? "/memory.swap.max" : "/memory.memsw.limit_in_bytes");
    const std::string swap =
        place.v2 ? number_or_max(both < 0 || memory < 0 ? -1 : both - memory) : std::to_string(both);
    const bool has_swap_file = sys::exists(swap_file);
    if (!has_swap_file && resources.memory_swap && both >= 0 && host_has_swap())
        throw make_error(ErrorKind::unavailable, "this host can't limit swap: {} does not exist", swap_file);
    const std::string memory_file = base + (place.v2 ? "/memory.max" : "/memory.limit_in_bytes");
    const std::string memory_text = place.v2 ? number_or_max(memory) : std::to_string(memory);
    if (!sys::exists(memory_file)) write_limit(memory_file, memory_text, "memory");
    // v1 wants memory <= memory + swap after every step, so one of the two orders works.
    const bool memory_first = sys::try_write_kernel_file(memory_file, memory_text);
    if (has_swap_file) sys::write_kernel_file(swap_file, swap);
    if (!memory_first) sys::write_kernel_file(memory_file, memory_text);
}

void apply_real_time(const CgroupPlace& place, const Resources& resources) {
    if (!resources.cpu_rt_runtime && !resources.cpu_rt_period) return;
    auto parts = split(place.parent, '/');
    parts.push_back(place.id);
    share_real_time(place.v2 ? place.root : place.root + "/" + place.hierarchy("cpu").value_or("cpu"), parts,
                    {.runtime = resources.cpu_rt_runtime, .period = resources.cpu_rt_period});
}

void apply_cpu(const CgroupPlace& place, const Resources& resources) {
    const std::string base = place.of("cpu");
    if (resources.cpus) {
        const auto quota =
            std::max<std::int64_t>(1000, std::llround(*resources.cpus * static_cast<double>(kCpuPeriod)));
        if (place.v2) {
            write_limit(base + "/cpu.max", fmt::format("{} {}", quota, kCpuPeriod), "cpus");
        } else {
            write_limit(base + "/cpu.cfs_period_us", std::to_string(kCpuPeriod), "cpus");
            write_limit(base + "/cpu.cfs_quota_us", std::to_string(quota), "cpus");
        }
    }
    if (!resources.cpus && (resources.cpu_quota || resources.cpu_period)) {
        const std::int64_t period = resources.cpu_period.value_or(kCpuPeriod);
        const std::int64_t quota = resources.cpu_quota.value_or(-1);
        if (place.v2) {
            write_limit(base + "/cpu.max", fmt::format("{} {}", number_or_max(quota <= 0 ? -1 : quota), period),
                        "the cpu quota");
        } else {
            write_limit(base + "/cpu.cfs_period_us", std::to_string(period), "the cpu period");
            write_limit(base + "/cpu.cfs_quota_us", std::to_string(quota <= 0 ? -1 : quota), "the cpu quota");
        }
    }
    if (resources.cpu_shares) {
        if (place.v2)
            write_limit(base + "/cpu.weight", std::to_string(weight_of_shares(*resources.cpu_shares)), "cpu shares");
        else
            write_limit(base + "/cpu.shares", std::to_string(*resources.cpu_shares), "cpu shares");
    }
    if (resources.cpuset_cpus) {
        check_set(*resources.cpuset_cpus, "cpus");
        write_limit(place.of("cpuset") + "/cpuset.cpus", *resources.cpuset_cpus, "the set of cpus");
    }
    if (resources.cpuset_mems) {
        check_set(*resources.cpuset_mems, "memory nodes");
        write_limit(place.of("cpuset") + "/cpuset.mems", *resources.cpuset_mems, "the set of memory nodes");
    }
    apply_real_time(place, resources);
}

void apply_block_io(const CgroupPlace& place, const Resources& resources) {
    const std::string base = place.of(place.v2 ? "io" : "blkio");
    // The BFQ scheduler has files of its own, and where it is there, the others do nothing.
    const std::string bfq = base + (place.v2 ? "/io.bfq.weight" : "/blkio.bfq.weight");
    const bool has_bfq = sys::exists(bfq);
    const std::string weight = has_bfq ? bfq : base + (place.v2 ? "/io.weight" : "/blkio.weight");
    const auto converted = [&](std::uint64_t value) { return place.v2 && !has_bfq ? io_weight_of(value) : value; };
    if (resources.blkio_weight)
        write_limit(weight, std::to_string(converted(static_cast<std::uint64_t>(*resources.blkio_weight))),
                    "the share of block I/O");
    for (const auto& [path, value] : resources.blkio_weight_device) {
        const std::string file = place.v2 ? weight : weight + "_device";
        const std::string line = fmt::format("{} {}", number_of_device(path), converted(value));
        if (!has_bfq) {
            write_limit(file, line, "a device's share of block I/O");
        } else if (!sys::try_write_kernel_file(file, line)) {
            throw make_error(ErrorKind::unavailable,
                             "this host can't limit a device's share of block I/O: {} takes no {}", file, quote(line))
                .with_hint(
                    "only devices with the I/O scheduler bfq have shares: see /sys/block/DEVICE/queue/scheduler");
        }
    }
    const auto limit = [&](const std::vector<DeviceRate>& rates, const char* v1_file, const char* v2_key) {
        for (const auto& [path, rate] : rates)
            write_limit(base + (place.v2 ? "/io.max" : v1_file),
                        place.v2 ? fmt::format("{} {}={}", number_of_device(path), v2_key, rate)
                                 : fmt::format("{} {}", number_of_device(path), rate),
                        "block I/O");
    };
    limit(resources.read_bps, "/blkio.throttle.read_bps_device", "rbps");
    limit(resources.write_bps, "/blkio.throttle.write_bps_device", "wbps");
    limit(resources.read_iops, "/blkio.throttle.read_iops_device", "riops");
    limit(resources.write_iops, "/blkio.throttle.write_iops_device", "wiops");
}

}  // namespace

void write_limits(const CgroupPlace& place, const Resources& resources) {
    write_limit(place.of("pids") + "/pids.max", number_or_max(resources.pids), "processes");
    apply_memory(place, resources);
    apply_cpu(place, resources);
    if (limits_block_io(resources)) apply_block_io(place, resources);
}

void restrict_devices(const CgroupPlace& place, const std::vector<DeviceRule>& more) {
    auto rules = default_device_rules();
    rules.insert(rules.end(), more.begin(), more.end());
    if (place.v2) {
        sys::attach_device_program(sys::open_directory(place.v2_directory()), device_program(rules));
        return;
    }
    const std::string base = place.of("devices");
    if (!sys::exists(base + "/devices.deny"))
        throw make_error(ErrorKind::unavailable, "this host can't restrict devices: {} does not exist",
                         base + "/devices.deny");
    sys::write_kernel_file(base + "/devices.deny", "a");
    std::vector<std::string> lines;
    for (const auto& rule : rules) lines.push_back(to_line(rule));
    sys::write_kernel_file(base + "/devices.allow", lines);
}

}  // namespace compose::runtime
