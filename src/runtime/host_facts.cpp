#include "runtime/host_facts.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <charconv>

#include "base/strings.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"

namespace compose::runtime {
namespace {

std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> result;
    DIR* stream = ::opendir(directory.c_str());
    if (stream == nullptr) return result;
    while (const dirent* entry = ::readdir(stream)) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") result.emplace_back(name);
    }
    ::closedir(stream);
    std::sort(result.begin(), result.end());
    return result;
}

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
    for (const auto& name : names_in("/dev" + below)) {
        if (below.empty() && std::find(std::begin(kOwn), std::end(kOwn), name) != std::end(kOwn)) continue;
        const std::string path = fmt::format("/dev{}/{}", below, name);
        struct stat info {};
        if (::lstat(path.c_str(), &info) != 0) continue;
        if (S_ISDIR(info.st_mode) && below.empty()) collect_devices("/" + name, out);
        if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode))
            out.push_back({path.substr(5), S_ISBLK(info.st_mode), major(info.st_rdev), minor(info.st_rdev)});
    }
}

}  // namespace

const HostFacts& fixed_host_facts() {
    static const HostFacts facts = [] {
        HostFacts result;
        result.capabilities = own_capabilities();
        rlimit nofile{};
        if (::getrlimit(RLIMIT_NOFILE, &nofile) == 0) result.nofile_hard = nofile.rlim_max;
        const std::string score = sys::read_file("/proc/self/oom_score_adj");
        const std::string_view digits = trim(score);
        std::from_chars(digits.data(), digits.data() + digits.size(), result.oom_score_adj);
        result.time_namespaces = sys::exists("/proc/self/ns/time");
        result.kcore = sys::exists("/proc/kcore");
        for (const auto& name : names_in("/sys/devices/system/cpu")) {
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
