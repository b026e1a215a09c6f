#include "runtime/host_facts.hpp"

#include <charconv>

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

// Two levels: "sda", "net/tun". Terminals and shared memory come from file systems of the container's own.
void collect_devices(const std::string& below, std::vector<DeviceNode>& out) {
    static constexpr std::string_view kOwn[] = {"pts",  "shm",  "mqueue", "console", "ptmx", "null",
                                                "zero", "full", "random", "urandom", "tty",  "hugepages"};
    for (const auto& name : sys::kernel_names("/dev" + below)) {
        if (below.empty() && std::find(std::begin(kOwn), std::end(kOwn), name) != std::end(kOwn)) continue;
        const std::string path = fmt::format("/dev{}/{}", below, name);
        if (const auto device = sys::device_at(path))
            out.push_back({path.substr(5), device->block, device->major, device->minor});
        else if (below.empty() && sys::is_directory(path) && !sys::link_text(path))
            collect_devices("/" + name, out);
    }
}

}  // namespace

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
