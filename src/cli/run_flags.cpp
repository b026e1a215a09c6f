#include "cli/run_flags.hpp"

#include "cli/arguments.hpp"

namespace compose::cli {

namespace {

enum class Kind { toggle, value, list };

struct Row {
    const char* names;
    Kind kind;
    const char* placeholder;
    const char* help;
    bool run_only = false;
};

constexpr Kind kOn = Kind::toggle, kValue = Kind::value, kList = Kind::list;

constexpr Row kRows[] = {
    // How it is run
    {"-d,--detach", kOn, "", "Run it in the background and print its id", true},
    {"-a,--attach", kList, "stdin|stdout|stderr", "Attach only these streams"},
    {"-i,--interactive", kOn, "", "Keep its input open and pass ours on"},
    {"-t,--tty", kOn, "", "Give it a terminal"},
    {"--name", kValue, "NAME", "Its name; else one is made up"},
    {"--rm", kOn, "", "Remove it and its anonymous volumes when it has ended"},
    {"--cidfile", kValue, "FILE", "Write its id to a file that must not exist yet"},
    {"-q,--quiet", kOn, "", "No progress of the pull"},
    {"--pull", kValue, "always|missing|never", "When to pull the image (default missing)"},
    {"--platform", kValue, "OS/ARCH", "The image's platform"},
    {"--runtime", kValue, "NAME", "Only our own"},
    {"--isolation", kValue, "default", "Only default: the others are of Windows"},
    {"--disable-content-trust", kOn, "", "Accepted for scripts; signatures are not checked (default true)"},
    {"--sig-proxy", kOn, "", "Pass signals on to it (default true)", true},
    {"--detach-keys", kValue, "KEYS", "The keys that leave it running: ctrl-p,ctrl-q", true},
    // Its process
    {"--entrypoint", kValue, "PROGRAM", "In place of the image's entrypoint; empty: none"},
    {"-e,--env", kList, "NAME[=VALUE]", "Set a variable; without a value, as it is here"},
    {"--env-file", kList, "FILE", "Read variables from a file"},
    {"-u,--user", kValue, "USER[:GROUP]", "By name or number"},
    {"-w,--workdir", kValue, "DIR", "Start in this folder"},
    {"-h,--hostname", kValue, "NAME", "Its host name"},
    {"--domainname", kValue, "NAME", "Its domain name"},
    {"--init", kOn, "", "A small init as process 1, which reaps children"},
    {"--stop-signal", kValue, "SIGNAL", "What stops it"},
    {"--stop-timeout", kValue, "SECONDS", "How long it may take to stop"},
    {"--group-add", kList, "GROUP", "A further group"},
    // Files
    {"-v,--volume", kList, "[SOURCE:]TARGET[:OPTIONS]", "Mount a host path or a volume"},
    {"--mount", kList, "KEY=VALUE,...", "Mount something: type, source, target, readonly, ..."},
    {"--tmpfs", kList, "TARGET[:OPTIONS]", "Mount memory"},
    {"--volumes-from", kList, "CONTAINER[:ro]", "Mount what another container has mounted"},
    {"--volume-driver", kValue, "NAME", "Only local"},
    {"--read-only", kOn, "", "No writing to the root file system"},
    {"--storage-opt", kList, "KEY=VALUE", "Of the writable layer: size"},
    {"--device", kList, "HOST[:PATH[:rwm]]", "Give it a device of the host"},
    {"--device-cgroup-rule", kList, "RULE", "Allow devices: 'c 1:3 mr'"},
    {"--gpus", kValue, "all|N|...", "Give it GPUs"},
    // Network
    {"--network,--net", kList, "NETWORK", "A network, host, none or container:NAME; or name=NETWORK,ip=...,alias=..."},
    {"--network-alias,--net-alias", kList, "NAME", "A further name on the network"},
    {"--ip", kValue, "ADDRESS", "A fixed IPv4 address"},
    {"--ip6", kValue, "ADDRESS", "A fixed IPv6 address"},
    {"--link", kList, "CONTAINER[:ALIAS]", "Let it find another container by name"},
    {"--link-local-ip", kList, "ADDRESS", "A link-local address"},
    {"--mac-address", kValue, "ADDRESS", "A fixed MAC address"},
    {"-p,--publish", kList, "[IP:][HOST:]CONTAINER[/tcp|udp]", "Publish a port"},
    {"-P,--publish-all", kOn, "", "Publish all ports that the image exposes, each at a free port"},
    {"--expose", kList, "PORT[/tcp|udp]", "Document a port"},
    {"--dns", kList, "ADDRESS", "A DNS server"},
    {"--dns-option,--dns-opt", kList, "OPTION", "An option of its resolver"},
    {"--dns-search", kList, "DOMAIN", "A search domain"},
    {"--add-host", kList, "NAME:ADDRESS", "A line in /etc/hosts"},
    // Limits
    {"-m,--memory", kValue, "BYTES", "Most memory: 512m, 2g"},
    {"--memory-swap", kValue, "BYTES", "Most memory and swap together; -1: no limit"},
    {"--memory-reservation", kValue, "BYTES", "Memory kept for it under pressure"},
    {"--memory-swappiness", kValue, "0-100", "How willingly it is swapped out"},
    {"--cpus", kValue, "N", "Most CPUs: 1.5"},
    {"-c,--cpu-shares", kValue, "N", "Its weight among others (1024)"},
    {"--cpu-quota", kValue, "MICROSECONDS", "CPU time in a period"},
    {"--cpu-period", kValue, "MICROSECONDS", "The period (100000)"},
    {"--cpu-rt-runtime", kValue, "MICROSECONDS", "Real-time CPU time in a period"},
    {"--cpu-rt-period", kValue, "MICROSECONDS", "The period of that"},
    {"--cpuset-cpus", kValue, "LIST", "Only these CPUs: 0-2,4"},
    {"--cpuset-mems", kValue, "LIST", "Only these memory nodes"},
    {"--pids-limit", kValue, "N", "Most processes; -1: no limit"},
    {"--ulimit", kList, "NAME=SOFT[:HARD]", "A limit of each process: nofile=1024:4096"},
    {"--shm-size", kValue, "BYTES", "Size of /dev/shm (64m)"},
    {"--oom-kill-disable", kOn, "", "Stop it rather than kill it when memory runs out"},
    {"--oom-score-adj", kValue, "N", "-1000 (spare it) to 1000"},
    {"--blkio-weight", kValue, "10-1000", "Its weight at block devices"},
    {"--blkio-weight-device", kList, "DEVICE:WEIGHT", "The same for one device"},
    {"--device-read-bps", kList, "DEVICE:BYTES", "Most bytes a second read"},
    {"--device-write-bps", kList, "DEVICE:BYTES", "Most bytes a second written"},
    {"--device-read-iops", kList, "DEVICE:N", "Most reads a second"},
    {"--device-write-iops", kList, "DEVICE:N", "Most writes a second"},
    // Isolation
    {"--use-api-socket", kOn, "", "The socket of this host's Docker daemon, and its user's credentials"},
    {"--privileged", kOn, "", "All capabilities and devices: no isolation at all"},
    {"--cap-add", kList, "CAPABILITY", "Give it a capability"},
    {"--cap-drop", kList, "CAPABILITY", "Take a capability away"},
    {"--security-opt", kList, "OPTION", "no-new-privileges, seccomp=unconfined, ..."},
    {"--userns", kValue, "host", "User namespace"},
    {"--ipc", kValue, "MODE", "private, host, shareable, none, container:NAME"},
    {"--pid", kValue, "MODE", "host, container:NAME"},
    {"--uts", kValue, "host", "The host's name and domain"},
    {"--cgroupns", kValue, "host|private", "Cgroup namespace"},
    {"--cgroup-parent", kValue, "PATH", "A parent for its cgroup"},
    {"--sysctl", kList, "KEY=VALUE", "A kernel setting of its namespaces"},
    // What is said of it
    {"-l,--label", kList, "KEY[=VALUE]", "A label"},
    {"--label-file", kList, "FILE", "Read labels from a file"},
    {"--annotation", kList, "KEY=VALUE", "An annotation"},
    {"--restart", kValue, "POLICY", "no, always, unless-stopped, on-failure[:N]"},
    {"--log-driver", kValue, "NAME", "json-file, local, none"},
    {"--log-opt", kList, "KEY=VALUE", "An option of it: max-size=10m"},
    // Health
    {"--health-cmd", kValue, "COMMAND", "Ask for its health with this shell command"},
    {"--health-interval", kValue, "DURATION", "Time between two (30s)"},
    {"--health-timeout", kValue, "DURATION", "Most time of one (30s)"},
    {"--health-retries", kValue, "N", "So many failures in a row make it unhealthy (3)"},
    {"--health-start-period", kValue, "DURATION", "Failures do not count so long"},
    {"--health-start-interval", kValue, "DURATION", "Time between two while it starts (5s)"},
    {"--no-healthcheck", kOn, "", "Not even the image's"},
};

/// "-e,--env" -> "env"
std::string key_of(const char* names) {
    const std::string text(names);
    const auto dashes = text.find("--");
    return text.substr(dashes + 2, text.find(',', dashes) - dashes - 2);
}

}  // namespace

void RunFlags::declare(Arguments& arguments, bool for_run) {
    switches_["sig-proxy"] = switches_["disable-content-trust"] = true;
    for (const Row& row : kRows) {
        const auto key = key_of(row.names);
        if (row.run_only && !for_run) continue;
        if (row.kind == Kind::toggle)
            arguments.flag(row.names, switches_[key], row.help);
        else if (row.kind == Kind::value)
            arguments.value(row.names, values_[key], row.placeholder, row.help);
        else
            arguments.list(row.names, lists_[key], row.placeholder, row.help);
    }
    arguments.refuse("--cpu-count,--cpu-percent,--io-maxbandwidth,--io-maxiops", "only Windows has it");
    arguments.refuse("--kernel-memory", "kernels no longer have such a limit");
    arguments.options_first();
    arguments.required("IMAGE", image);
    arguments.rest("COMMAND", command);
}

bool RunFlags::on(const std::string& name) const {
    const auto found = switches_.find(name);
    return found != switches_.end() && found->second;
}

const std::optional<std::string>& RunFlags::value(const std::string& name) const {
    static const std::optional<std::string> nothing;
    const auto found = values_.find(name);
    return found == values_.end() ? nothing : found->second;
}

const std::vector<std::string>& RunFlags::list(const std::string& name) const {
    static const std::vector<std::string> nothing;
    const auto found = lists_.find(name);
    return found == lists_.end() ? nothing : found->second;
}

}  // namespace compose::cli
