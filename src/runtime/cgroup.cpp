#include "runtime/cgroup.hpp"

#include <charconv>
#include <cmath>
#include <thread>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "runtime/cgroup_hierarchies.hpp"
#include "runtime/cgroup_real_time.hpp"
#include "runtime/device_rules.hpp"
#include "sys/device.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/kernel_abi.hpp"
#include "sys/kernel_files.hpp"
#include "sys/process.hpp"

namespace compose::runtime {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPatience = std::chrono::milliseconds(2000);
constexpr std::int64_t kCpuPeriod = 100000;  // microseconds

// A name as one component of a path, and no way out of it.
void check_name(const std::string& name) {
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
               c == '.';
    });
    if (name.empty() || name == "." || name == ".." || !plain)
        throw make_error(ErrorKind::invalid, "{} is no name for a cgroup", quote(name));
}

// A limit whose file is not there can't be kept: that is an error, not a detail.
void write_limit(const std::string& file, std::string_view value, const char* what) {
    if (!sys::exists(file))
        throw make_error(ErrorKind::unavailable, "this host can't limit {}: {} does not exist", what, file);
    sys::write_kernel_file(file, value);
}

// From the leaves up; false while something is still in use.
bool try_remove_tree(const std::string& directory) {
    if (sys::remove_kernel_directory(directory)) return true;
    bool all = true;
    for (const auto& child : sys::kernel_directories(directory)) all = try_remove_tree(child) && all;
    return all && sys::remove_kernel_directory(directory);
}

void collect_processes(const std::string& directory, std::vector<pid_t>& out) {
    for (const auto& line : split(sys::read_kernel_file(directory + "/cgroup.procs"), '\n')) {
        pid_t pid = 0;
        if (std::from_chars(line.data(), line.data() + line.size(), pid).ec == std::errc{} && pid > 0)
            out.push_back(pid);
    }
    for (const auto& child : sys::kernel_directories(directory)) collect_processes(child, out);
}

// Until `done` says so; false when time runs out.
template <class Done>
bool wait_until(Done done) {
    const auto deadline = Clock::now() + kPatience;
    for (auto pause = std::chrono::microseconds(200);; pause = std::min(pause * 2, std::chrono::microseconds(10000))) {
        if (done()) return true;
        if (Clock::now() >= deadline) return false;
        std::this_thread::sleep_for(pause);
    }
}

std::string number_or_max(std::int64_t value) {
    return value < 0 ? "max" : std::to_string(value);
}

bool host_has_swap() {
    const std::string text = sys::read_kernel_file("/proc/swaps");
    return std::count(text.begin(), text.end(), '\n') > 1;
}

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

// Docker's mapping of [2, 262144] onto [1, 10000].
std::uint64_t weight_of_shares(std::uint64_t shares) {
    const std::uint64_t clamped = std::clamp<std::uint64_t>(shares, 2, 262144);
    return 1 + (clamped - 2) * 9999 / 262142;
}

bool limits_block_io(const Resources& resources) {
    return resources.blkio_weight || !resources.blkio_weight_device.empty() || !resources.read_bps.empty() ||
           !resources.write_bps.empty() || !resources.read_iops.empty() || !resources.write_iops.empty();
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

// The kernel reads a set of cpus into a mask; a list that can't be one is refused before it is asked.
void check_cpus(const std::string& text) {
    constexpr unsigned kMost = 8191;
    const auto bad = [&] { return make_error(ErrorKind::invalid, "{} is not a list of cpus like 0-2,4", quote(text)); };
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

}  // namespace

struct Cgroup::Impl {
    std::string root, parent, id;
    bool v2 = false;
    bool unified = false;
    bool keep_parents = false;

    std::optional<CgroupHierarchies> own;  // of a root that is not this host's
    const CgroupHierarchies* hierarchies = nullptr;

    // The folder of the hierarchy that has `controller`; nothing when this host has none.
    [[nodiscard]] std::optional<std::string> hierarchy(const std::string& controller) const {
        return hierarchies->of(controller);
    }
    [[nodiscard]] std::string directory(const std::string& hierarchy) const {
        return hierarchy.empty() ? fmt::format("{}/{}/{}", root, parent, id)
                                 : fmt::format("{}/{}/{}/{}", root, hierarchy, parent, id);
    }
    [[nodiscard]] std::string v2_directory() const { return directory(v2 ? "" : kUnified); }
    // Of a controller, for reading and writing its files.
    [[nodiscard]] std::string of(const std::string& controller) const {
        if (v2) return directory("");
        return directory(hierarchy(controller).value_or(controller));
    }

    [[nodiscard]] std::vector<std::string> existing() const {
        auto names = hierarchies->all;
        std::erase_if(names, [&](const std::string& name) { return !sys::is_directory(directory(name)); });
        return names;
    }
    // What the unified hierarchy can do (freeze, kill, count cpu time) needs no v1 directory of its own: each costs
    // time at every start.
    [[nodiscard]] std::vector<std::string> wanted(const Resources& resources) const {
        if (v2) return {""};
        std::vector<const char*> controllers{"devices", "pids", "memory"};
        if (!unified) controllers.insert(controllers.end(), {"freezer", "cpuacct"});
        if (resources.cpus || resources.cpu_shares || resources.cpu_quota || resources.cpu_period ||
            resources.cpu_rt_runtime || resources.cpu_rt_period)
            controllers.push_back("cpu");
        if (limits_block_io(resources)) controllers.push_back("blkio");
        if (resources.cpuset_cpus) controllers.push_back("cpuset");
        if (unified) controllers.push_back(kUnified);
        std::vector<std::string> result;
        for (const char* controller : controllers)
            if (auto name = hierarchy(controller);
                name && std::find(result.begin(), result.end(), *name) == result.end())
                result.push_back(std::move(*name));
        return result;
    }

    void make_directory(const std::string& name, bool cpuset);
    void enable_controllers(const Resources& resources);
    void apply(const Resources& resources);
    void apply_memory(const Resources& resources);
    void apply_cpu(const Resources& resources);
    void apply_real_time(const Resources& resources);
    void apply_block_io(const Resources& resources);
    void restrict_devices(const std::vector<DeviceRule>& more);
};

// Level by level. Another container's removal may take an empty parent away in between: then once more.
void Cgroup::Impl::make_directory(const std::string& name, bool cpuset) {
    const std::string base = name.empty() ? root : root + "/" + name;
    // Its parents are there but for the first container's.
    if (!cpuset && sys::make_kernel_directory(directory(name))) return;
    for (int attempt = 0;; ++attempt) {
        std::string path = base;
        bool made = true;
        for (const auto& part : split(fmt::format("{}/{}", parent, id), '/')) {
            const std::string above = path;
            path += "/" + part;
            made = sys::make_kernel_directory(path);
            if (!made && attempt == 5) throw make_error("cgroup {} is removed as fast as it is made", path);
            if (!made) break;
            if (!cpuset) continue;
            // A v1 cpuset starts empty, and an empty one takes no process.
            for (const char* file : {"/cpuset.cpus", "/cpuset.mems"})
                if (trim(sys::read_kernel_file(path + file)).empty())
                    sys::try_write_kernel_file(path + file, trim(sys::read_kernel_file(above + file)));
        }
        if (made) return;
    }
}

// A v2 controller works in a cgroup when every one above passes it on.
void Cgroup::Impl::enable_controllers(const Resources& resources) {
    std::vector<std::string_view> wanted{"cpu", "memory", "pids"};
    if (resources.cpuset_cpus) wanted.emplace_back("cpuset");
    if (limits_block_io(resources)) wanted.emplace_back("io");
    std::string path = root;
    auto parts = split(parent, '/');
    parts.insert(parts.begin(), "");
    for (const auto& part : parts) {
        if (!part.empty()) path += "/" + part;
        const auto available = split(trim(sys::read_kernel_file(path + "/cgroup.controllers")), ' ');
        const auto enabled = split(trim(sys::read_kernel_file(path + "/cgroup.subtree_control")), ' ');
        for (const auto controller : wanted) {
            const auto in = [&](const auto& list) {
                return std::find(list.begin(), list.end(), controller) != list.end();
            };
            if (in(available) && !in(enabled))
                sys::try_write_kernel_file(path + "/cgroup.subtree_control", fmt::format("+{}", controller));
        }
    }
}

void Cgroup::Impl::apply_memory(const Resources& resources) {
    const std::string base = of("memory");
    if (resources.memory_reservation)
        write_limit(base + (v2 ? "/memory.low" : "/memory.soft_limit_in_bytes"),
                    std::to_string(*resources.memory_reservation), "reserved memory");
    // What v2 has no word for is said by whoever makes the container.
    if (!v2 && resources.memory_swappiness)
        write_limit(base + "/memory.swappiness", std::to_string(*resources.memory_swappiness), "swappiness");
    if (!v2 && resources.oom_kill_disable) write_limit(base + "/memory.oom_control", "1", "the killing for memory");
    if (!resources.memory && !resources.memory_swap) return;
    // As Docker has it: without a word about swap, as much of it as of memory.
    const std::int64_t memory = resources.memory.value_or(-1);
    const std::int64_t both = resources.memory_swap.value_or(memory < 0 ? -1 : 2 * memory);
    if (memory >= 0 && both >= 0 && both < memory)
        throw make_error(ErrorKind::invalid, "the limit of memory and swap ({}) is lower than that of memory ({})",
                         both, memory);
    const std::string swap_file = base + (v2 ? "/memory.swap.max" : "/memory.memsw.limit_in_bytes");
    const std::string swap = v2 ? number_or_max(both < 0 || memory < 0 ? -1 : both - memory) : std::to_string(both);
    const bool has_swap_file = sys::exists(swap_file);
    if (!has_swap_file && resources.memory_swap && both >= 0 && host_has_swap())
        throw make_error(ErrorKind::unavailable, "this host can't limit swap: {} does not exist", swap_file);
    const std::string memory_file = base + (v2 ? "/memory.max" : "/memory.limit_in_bytes");
    const std::string memory_text = v2 ? number_or_max(memory) : std::to_string(memory);
    if (!sys::exists(memory_file)) write_limit(memory_file, memory_text, "memory");
    // v1 wants memory <= memory + swap after every step, so one of the two orders works.
    const bool memory_first = sys::try_write_kernel_file(memory_file, memory_text);
    if (has_swap_file) sys::write_kernel_file(swap_file, swap);
    if (!memory_first) sys::write_kernel_file(memory_file, memory_text);
}

void Cgroup::Impl::apply_cpu(const Resources& resources) {
    const std::string base = of("cpu");
    if (resources.cpus) {
        const auto quota =
            std::max<std::int64_t>(1000, std::llround(*resources.cpus * static_cast<double>(kCpuPeriod)));
        if (v2) {
            write_limit(base + "/cpu.max", fmt::format("{} {}", quota, kCpuPeriod), "cpus");
        } else {
            write_limit(base + "/cpu.cfs_period_us", std::to_string(kCpuPeriod), "cpus");
            write_limit(base + "/cpu.cfs_quota_us", std::to_string(quota), "cpus");
        }
    }
    if (!resources.cpus && (resources.cpu_quota || resources.cpu_period)) {
        const std::int64_t period = resources.cpu_period.value_or(kCpuPeriod);
        const std::int64_t quota = resources.cpu_quota.value_or(-1);
        if (v2) {
            write_limit(base + "/cpu.max", fmt::format("{} {}", number_or_max(quota <= 0 ? -1 : quota), period),
                        "the cpu quota");
        } else {
            write_limit(base + "/cpu.cfs_period_us", std::to_string(period), "the cpu period");
            write_limit(base + "/cpu.cfs_quota_us", std::to_string(quota <= 0 ? -1 : quota), "the cpu quota");
        }
    }
    if (resources.cpu_shares) {
        if (v2)
            write_limit(base + "/cpu.weight", std::to_string(weight_of_shares(*resources.cpu_shares)), "cpu shares");
        else
            write_limit(base + "/cpu.shares", std::to_string(*resources.cpu_shares), "cpu shares");
    }
    if (resources.cpuset_cpus) {
        check_cpus(*resources.cpuset_cpus);
        write_limit(of("cpuset") + "/cpuset.cpus", *resources.cpuset_cpus, "the set of cpus");
    }
    apply_real_time(resources);
}

void Cgroup::Impl::apply_real_time(const Resources& resources) {
    if (!resources.cpu_rt_runtime && !resources.cpu_rt_period) return;
    auto parts = split(parent, '/');
    parts.push_back(id);
    share_real_time(v2 ? root : root + "/" + hierarchy("cpu").value_or("cpu"), parts,
                    {.runtime = resources.cpu_rt_runtime, .period = resources.cpu_rt_period});
}

void Cgroup::Impl::apply_block_io(const Resources& resources) {
    const std::string base = of(v2 ? "io" : "blkio");
    // The BFQ scheduler has files of its own, and where it is there, the others do nothing.
    const std::string bfq = base + (v2 ? "/io.bfq.weight" : "/blkio.bfq.weight");
    const bool has_bfq = sys::exists(bfq);
    const std::string weight = has_bfq ? bfq : base + (v2 ? "/io.weight" : "/blkio.weight");
    const auto converted = [&](std::uint64_t value) { return v2 && !has_bfq ? io_weight_of(value) : value; };
    if (resources.blkio_weight)
        write_limit(weight, std::to_string(converted(static_cast<std::uint64_t>(*resources.blkio_weight))),
                    "the share of block I/O");
    for (const auto& [path, value] : resources.blkio_weight_device) {
        const std::string file = v2 ? weight : weight + "_device";
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
            write_limit(base + (v2 ? "/io.max" : v1_file),
                        v2 ? fmt::format("{} {}={}", number_of_device(path), v2_key, rate)
                           : fmt::format("{} {}", number_of_device(path), rate),
                        "block I/O");
    };
    limit(resources.read_bps, "/blkio.throttle.read_bps_device", "rbps");
    limit(resources.write_bps, "/blkio.throttle.write_bps_device", "wbps");
    limit(resources.read_iops, "/blkio.throttle.read_iops_device", "riops");
    limit(resources.write_iops, "/blkio.throttle.write_iops_device", "wiops");
}

void Cgroup::Impl::apply(const Resources& resources) {
    write_limit(of("pids") + "/pids.max", number_or_max(resources.pids), "processes");
    apply_memory(resources);
    apply_cpu(resources);
    if (limits_block_io(resources)) apply_block_io(resources);
}

void Cgroup::Impl::restrict_devices(const std::vector<DeviceRule>& more) {
    auto rules = default_device_rules();
    rules.insert(rules.end(), more.begin(), more.end());
    if (v2) {
        sys::attach_device_program(sys::open_directory(v2_directory()), device_program(rules));
        return;
    }
    const std::string base = of("devices");
    if (!sys::exists(base + "/devices.deny"))
        throw make_error(ErrorKind::unavailable, "this host can't restrict devices: {} does not exist",
                         base + "/devices.deny");
    sys::write_kernel_file(base + "/devices.deny", "a");
    std::vector<std::string> lines;
    for (const auto& rule : rules) lines.push_back(to_line(rule));
    sys::write_kernel_file(base + "/devices.allow", lines);
}

Cgroup::Cgroup(std::string root, std::string parent, std::string id) : impl_(std::make_unique<Impl>()) {
    check_name(id);
    // A parent that begins with a slash is the user's: it stays, also when it is empty.
    impl_->keep_parents = parent.starts_with('/');
    if (impl_->keep_parents) parent.erase(0, 1);
    for (const auto& part : split(parent, '/')) check_name(part);
    impl_->root = std::move(root);
    impl_->parent = std::move(parent);
    impl_->id = std::move(id);
    if (impl_->root == cgroup_root()) {
        impl_->hierarchies = &CgroupHierarchies::of_this_host();
    } else {
        impl_->own = CgroupHierarchies::find(impl_->root);
        impl_->hierarchies = &*impl_->own;
    }
    impl_->v2 = impl_->hierarchies->v2;
    impl_->unified = impl_->hierarchies->unified;
}

Cgroup::~Cgroup() = default;
Cgroup::Cgroup(Cgroup&&) noexcept = default;

void Cgroup::create(const Resources& resources, bool privileged, const std::vector<DeviceRule>& more) {
    for (const auto& name : impl_->wanted(resources)) impl_->make_directory(name, name == "cpuset");
    if (impl_->v2) impl_->enable_controllers(resources);
    impl_->apply(resources);
    if (!privileged) impl_->restrict_devices(more);
}

void Cgroup::attach(pid_t pid, bool in_v2_already) {
    for (const auto& name : impl_->existing()) {
        if (in_v2_already && (name.empty() || name == kUnified)) continue;
        sys::write_kernel_file(impl_->directory(name) + "/cgroup.procs", std::to_string(pid));
    }
}

std::vector<sys::Fd> Cgroup::open_v1_entrances() const {
    std::vector<sys::Fd> result;
    for (const auto& name : v1_hierarchies())
        result.push_back(sys::open_kernel_file_for_writing(impl_->directory(name) + "/cgroup.procs"));
    return result;
}

sys::Fd Cgroup::open_v2_directory() const {
    if (!impl_->v2 && !impl_->unified) return {};
    return sys::open_directory(impl_->v2_directory());
}

void Cgroup::update(const Resources& resources) {
    for (const auto& name : impl_->wanted(resources)) {
        const bool is_new = !sys::is_directory(impl_->directory(name));
        if (!is_new) continue;
        const auto members = processes();
        impl_->make_directory(name, name == "cpuset");
        for (const pid_t pid : members)
            sys::try_write_kernel_file(impl_->directory(name) + "/cgroup.procs", std::to_string(pid));
    }
    if (impl_->v2) impl_->enable_controllers(resources);
    impl_->apply(resources);
}

void Cgroup::freeze(bool on) {
    if (impl_->v2 || impl_->unified) {
        const std::string base = impl_->v2_directory();
        sys::write_kernel_file(base + "/cgroup.freeze", on ? "1" : "0");
        if (!wait_until([&] {
                return sys::read_kernel_field(base + "/cgroup.events", "frozen") == std::uint64_t{on ? 1U : 0U};
            }))
            throw make_error("cgroup {} does not {}", base, on ? "freeze" : "thaw");
        return;
    }
    const std::string file = impl_->of("freezer") + "/freezer.state";
    const std::string_view wanted = on ? "FROZEN" : "THAWED";
    // Forks in the meantime may leave it half frozen: the state is written until it holds.
    if (!wait_until([&] {
            sys::write_kernel_file(file, wanted);
            return trim(sys::read_kernel_file(file)) == wanted;
        }))
        throw make_error("cgroup {} does not become {}", file, wanted);
}

bool Cgroup::frozen() const {
    if (impl_->v2 || impl_->unified)
        if (trim(sys::read_kernel_file(impl_->v2_directory() + "/cgroup.freeze")) == "1") return true;
    const std::string state = sys::read_kernel_file(impl_->of("freezer") + "/freezer.state");
    return state.starts_with("FR");  // FROZEN, FREEZING
}

void Cgroup::kill() {
    const std::string freezer = impl_->of("freezer") + "/freezer.state";
    const bool can_freeze_v1 = !impl_->v2 && sys::exists(freezer);
    if (impl_->v2 || impl_->unified) {
        const std::string base = impl_->v2_directory();
        if (!sys::is_directory(base)) return;
        sys::try_write_kernel_file(base + "/cgroup.freeze", "0");
        const bool killed = sys::try_write_kernel_file(base + "/cgroup.kill", "1");
        if (can_freeze_v1) sys::try_write_kernel_file(freezer, "THAWED");
        if (killed) return;
    }
    // Frozen members can't fork away, nor exit and leave their number to a stranger.
    wait_until([&] {
        if (can_freeze_v1) sys::try_write_kernel_file(freezer, "FROZEN");
        const auto members = processes();
        for (const pid_t pid : members)
            if (const auto process = sys::open_pidfd(pid)) sys::send_signal(*process, 9);
        if (can_freeze_v1) sys::try_write_kernel_file(freezer, "THAWED");
        return members.empty();
    });
}

void Cgroup::remove() {
    const auto names = impl_->existing();
    std::string left;
    const bool done = wait_until([&] {
        left.clear();
        for (const auto& name : names)
            if (!try_remove_tree(impl_->directory(name))) left = impl_->directory(name);
        return left.empty();
    });
    if (!done) throw make_error(ErrorKind::conflict, "cgroup {} still holds processes", left);
    if (impl_->keep_parents) return;
    for (const auto& name : names) {
        const std::string base = name.empty() ? impl_->root : impl_->root + "/" + name;
        for (std::string path = base + "/" + impl_->parent; path.size() > base.size() + 1; path.resize(path.rfind('/')))
            if (!sys::remove_kernel_directory(path)) break;
    }
}

std::uint64_t Cgroup::oom_kills() const {
    const std::string file = impl_->of("memory") + (impl_->v2 ? "/memory.events" : "/memory.oom_control");
    return sys::read_kernel_field(file, "oom_kill").value_or(0);
}

CgroupStats Cgroup::stats() const {
    CgroupStats result;
    const std::string memory = impl_->of("memory");
    constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 62U;  // v1 has no word for it
    constexpr std::uint64_t kNanosecondsPerMicrosecond = 1000;
    result.memory_current =
        sys::read_kernel_number(memory + (impl_->v2 ? "/memory.current" : "/memory.usage_in_bytes"));
    result.memory_peak = sys::read_kernel_number(memory + (impl_->v2 ? "/memory.peak" : "/memory.max_usage_in_bytes"));
    result.memory_limit = sys::read_kernel_number(memory + (impl_->v2 ? "/memory.max" : "/memory.limit_in_bytes"));
    if (result.memory_limit && *result.memory_limit > kUnlimited) result.memory_limit.reset();
    result.oom_kills = oom_kills();
    if (impl_->v2 || impl_->unified)
        result.cpu_usage_usec = sys::read_kernel_field(impl_->v2_directory() + "/cpu.stat", "usage_usec");
    else if (const auto usage = sys::read_kernel_number(impl_->of("cpuacct") + "/cpuacct.usage"))
        result.cpu_usage_usec = *usage / kNanosecondsPerMicrosecond;
    result.memory_inactive_file =
        sys::read_kernel_field(memory + "/memory.stat", impl_->v2 ? "inactive_file" : "total_inactive_file");
    if (impl_->v2)
        add_io(split(sys::read_kernel_file(impl_->directory("") + "/io.stat"), '\n'), "rbytes=", "wbytes=", result);
    else
        add_io(split(sys::read_kernel_file(impl_->of("blkio") + "/blkio.throttle.io_service_bytes_recursive"), '\n'),
               "Read", "Write", result);
    result.pids_current = sys::read_kernel_number(impl_->of("pids") + "/pids.current");
    return result;
}

std::vector<pid_t> Cgroup::processes() const {
    std::vector<pid_t> result;
    const auto names = impl_->existing();
    if (!names.empty()) collect_processes(impl_->directory(names.back()), result);
    return result;
}

bool Cgroup::exists() const {
    return !impl_->existing().empty();
}

bool Cgroup::pure_v2() const {
    return impl_->v2;
}

std::vector<std::string> Cgroup::v1_hierarchies() const {
    if (impl_->v2) return {};
    auto names = impl_->existing();
    std::erase(names, kUnified);
    return names;
}

const char* cgroup_root() {
    return "/sys/fs/cgroup";
}

}  // namespace compose::runtime
