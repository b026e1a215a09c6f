#include "runtime/host_facts.hpp"

#include <charconv>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "sys/device.hpp"
#include "sys/file.hpp"
#include "sys/kernel_files.hpp"
#include "sys/raw.hpp"

namespace compose::runtime {
namespace {

std::string status_field(const std::string& status, std::string_view key) {
    for (const auto& line : split(status, '\n'))
        if (line.starts_with(key)) return std::string(trim(std::string_view(line).substr(key.size())));
    return {};
}

CapabilitySet own_capabilities() {
    const std::string status = sys::read_file("/proc/self/status");
    CapabilitySet result = ~CapabilitySet{0};
    for (const char* key : {"CapPrm:", "CapBnd:"}) {
        const std::string text = status_field(status, key);
        CapabilitySet set = 0;
        std::from_chars(text.data(), text.data() + text.size(), set, 16);
        result &= set;
    }
    return result;
}

char type_of(const sys::DeviceNumber& device) {
    return device.block ? 'b' : 'c';
}

// Two levels: "sda", "net/tun". Terminals and shared memory come from file systems of the container's own.
void collect_devices(const std::string& below, std::vector<DeviceNode>& out) {
    static constexpr std::string_view kOwn[] = {"pts",  "shm",  "mqueue", "console", "ptmx", "null",
                                                "zero", "full", "random", "urandom", "tty",  "hugepages"};
    for (const auto& name : sys::kernel_names("/dev" + below)) {
        if (below.empty() && std::find(std::begin(kOwn), std::end(kOwn), name) != std::end(kOwn)) continue;
        const std::string path = fmt::format("/dev{}/{}", below, name);
        if (const auto device = sys::device_at(path))
            out.push_back(
                {.path = path.substr(5), .type = type_of(*device), .major = device->major, .minor = device->minor});
        else if (below.empty() && sys::is_directory(path) && !sys::link_text(path))
            collect_devices("/" + name, out);
    }
}

// "/dev/x" -> "x"
std::string below_dev(const std::string& target) {
    std::vector<std::string> parts;
    for (auto& part : split(target, '/')) {
        if (part.empty() || part == ".") continue;
        if (part == "..") throw make_error(ErrorKind::invalid, "device path {} must not contain \"..\"", quote(target));
        parts.push_back(std::move(part));
    }
    if (parts.size() < 2 || parts.front() != "dev" || !target.starts_with('/'))
        throw make_error(ErrorKind::invalid, "device path {} in the container is not below /dev", quote(target));
    static constexpr std::string_view kTaken[] = {"pts", "shm", "mqueue", "ptmx", "fd", "stdin", "stdout", "stderr"};
    if (std::find(std::begin(kTaken), std::end(kTaken), parts[1]) != std::end(kTaken))
        throw make_error(ErrorKind::invalid, "device path {} in the container is taken", quote(target));
    parts.erase(parts.begin());
    return join(parts, "/");
}

// What was asked for counts more than what is there.
DeviceNode node_of(const DeviceSpec& wanted, const std::string& target, const sys::DeviceNumber& there) {
    const auto or_else = [](const std::optional<std::int64_t>& value, unsigned otherwise) {
        return value ? static_cast<unsigned>(*value) : otherwise;
    };
    DeviceNode node;
    node.path = below_dev(target);
    node.type = wanted.type.empty() ? type_of(there) : wanted.type == "u" ? 'c' : wanted.type.front();
    node.major = or_else(wanted.major, there.major);
    node.minor = or_else(wanted.minor, there.minor);
    node.mode = or_else(wanted.mode, there.mode);
    node.uid = or_else(wanted.uid, there.uid);
    node.gid = or_else(wanted.gid, there.gid);
    node.permissions = wanted.permissions.empty() ? "rwm" : wanted.permissions;
    return node;
}

void add_device(const DeviceSpec& wanted, const std::string& source, const std::string& target, int depth,
                std::vector<DeviceNode>& out) {
    constexpr int kDeepest = 4;
    if (const auto device = sys::device_at(source)) {
        if (!wanted.type.empty() && (wanted.type == "b") != device->block)
            throw make_error(ErrorKind::invalid, "device {} is not of the type {}", wanted.source, quote(wanted.type));
        out.push_back(node_of(wanted, target, *device));
        return;
    }
    if (depth >= kDeepest || sys::link_text(source) || !sys::is_directory(source)) return;
    for (const auto& name : sys::kernel_names(source))
        add_device(wanted, fmt::format("{}/{}", source, name), fmt::format("{}/{}", target, name), depth + 1, out);
}

}  // namespace

std::vector<DeviceNode> wanted_devices(const ContainerSpec& spec) {
    std::vector<DeviceNode> result;
    for (const DeviceSpec& wanted : spec.devices) {
        if (wanted.source.empty()) {
            constexpr unsigned kForAll = 0666;
            result.push_back(node_of(wanted, wanted.target, {.mode = kForAll}));
            continue;
        }
        const std::size_t before = result.size();
        // The user's own path may be a link, as those in /dev/disk/by-id are.
        if (!sys::exists(wanted.source))
            throw make_error(ErrorKind::invalid, "device {}: no such file or directory", wanted.source);
        add_device(wanted, sys::real_path(wanted.source), wanted.target, 0, result);
        if (result.size() == before)
            throw make_error(ErrorKind::invalid, "device {} is no device, and no folder with devices", wanted.source);
    }
    return result;
}

std::vector<DeviceRule> device_rules_of(const ContainerSpec& spec, const std::vector<DeviceNode>& devices) {
    std::vector<DeviceRule> rules;
    for (const DeviceNode& node : devices)
        if (node.type != 'p')
            rules.push_back({node.type, static_cast<int>(node.major), static_cast<int>(node.minor), node.permissions});
    for (const std::string& text : spec.device_rules)
        for (auto& rule : parse_device_rule(text)) rules.push_back(std::move(rule));
    return rules;
}

const HostFacts& fixed_host_facts() {
    static const HostFacts facts = [] {
        HostFacts result;
        result.capabilities = own_capabilities();
        rlimit nofile{};
        if (sys::raw::call(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &nofile) == 0)
            result.nofile_hard = nofile.rlim_max;
        const std::string score = sys::read_file("/proc/self/oom_score_adj");
        const std::string_view digits = trim(score);
        std::from_chars(digits.data(), digits.data() + digits.size(), result.oom_score_adj);
        result.time_namespaces = sys::exists("/proc/self/ns/time");
        result.kcore = sys::exists("/proc/kcore");
        const std::string release = sys::read_file("/proc/sys/kernel/osrelease");
        const auto numbers = split(release, '.');
        const auto number = [&](std::size_t at, unsigned& out) {
            if (at < numbers.size()) std::from_chars(numbers[at].data(), numbers[at].data() + numbers[at].size(), out);
        };
        number(0, result.kernel_major);
        number(1, result.kernel_minor);
        for (const auto& name : sys::kernel_names("/sys/devices/system/cpu")) {
            const std::string path = fmt::format("sys/devices/system/cpu/{}/thermal_throttle", name);
            if (name.starts_with("cpu") && sys::exists("/" + path)) result.thermal_throttle.push_back(path);
        }
        return result;
    }();
    return facts;
}

HostFacts host_facts_for(const ContainerSpec& spec, const Cgroup& cgroup) {
    HostFacts facts = fixed_host_facts();
    facts.cgroup_v2 = cgroup.pure_v2();
    facts.cgroup_v1 = cgroup.v1_hierarchies();
    facts.cgroup_unified = !facts.cgroup_v2 && sys::exists(fmt::format("{}/unified/cgroup.procs", cgroup_root()));
    if (spec.privileged) collect_devices({}, facts.devices);
    return facts;
}

}  // namespace compose::runtime
