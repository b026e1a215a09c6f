// The part of a launch plan that is about the process: limits, kernel settings, environment, what to execute and as
// whom.

#include <algorithm>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "runtime/plan_builder.hpp"
#include "runtime/seccomp.hpp"
#include "sys/kernel_abi.hpp"

namespace compose::runtime {
namespace {

constexpr std::string_view kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

constexpr std::pair<std::string_view, int> kLimits[] = {
    {"as", RLIMIT_AS},           {"core", RLIMIT_CORE},         {"cpu", RLIMIT_CPU},
    {"data", RLIMIT_DATA},       {"fsize", RLIMIT_FSIZE},       {"locks", RLIMIT_LOCKS},
    {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
    {"nofile", RLIMIT_NOFILE},   {"nproc", RLIMIT_NPROC},       {"rss", RLIMIT_RSS},
    {"rtprio", RLIMIT_RTPRIO},   {"rttime", RLIMIT_RTTIME},     {"sigpending", RLIMIT_SIGPENDING},
    {"stack", RLIMIT_STACK},
};

std::string_view value_of(const std::vector<std::string>& environment, std::string_view key) {
    for (const auto& entry : environment)
        if (entry.size() > key.size() && entry[key.size()] == '=' && entry.starts_with(key))
            return std::string_view(entry).substr(key.size() + 1);
    return {};
}

bool has_key(const std::vector<std::string>& environment, std::string_view key) {
    return std::any_of(environment.begin(), environment.end(), [&](const std::string& entry) {
        return entry.size() > key.size() && entry[key.size()] == '=' && entry.starts_with(key);
    });
}

void limit(PlanBuilder& plan, std::string_view name, int resource, std::int64_t soft, std::int64_t hard) {
    Op& op = plan.add(OpKind::rlimit, fmt::format("set limit {} to {}:{}", name, soft, hard));
    op.slot = resource;
    // -1 is unlimited, which is also how the kernel writes it: all bits set.
    op.a = static_cast<std::uint64_t>(soft);
    op.b = static_cast<std::uint64_t>(hard);
}

}  // namespace

std::vector<std::string> complete_environment(const ContainerSpec& spec, const ProcessSpec& process) {
    std::vector<std::string> result;
    if (!has_key(process.env, "PATH")) result.push_back(fmt::format("PATH={}", kDefaultPath));
    if (!spec.hostname.empty() && !has_key(process.env, "HOSTNAME")) result.push_back("HOSTNAME=" + spec.hostname);
    if (process.terminal && !has_key(process.env, "TERM")) result.emplace_back("TERM=xterm");
    for (const auto& entry : process.env) {
        const std::size_t equals = entry.find('=');
        if (equals == std::string::npos || equals == 0)
            throw make_error(ErrorKind::invalid, "environment entry {} is not KEY=VALUE", quote(entry));
        const std::string_view key = std::string_view(entry).substr(0, equals + 1);
        std::erase_if(result, [&](const std::string& earlier) { return earlier.starts_with(key); });
        result.push_back(entry);
    }
    return result;
}

std::vector<std::string> executable_candidates(const std::string& command,
                                               const std::vector<std::string>& environment) {
    if (command.find('/') != std::string::npos) return {command};
    std::vector<std::string> result;
    for (const auto& directory : split(value_of(environment, "PATH"), ':')) {
        // An empty or relative entry would run whatever lies in the working directory.
        if (!directory.starts_with('/')) continue;
        result.push_back(directory.ends_with('/') ? directory + command : directory + "/" + command);
    }
    return result;
}

std::string sysctl_path(const std::string& name, const ContainerSpec& spec) {
    std::string path = name;
    // sysctl(8): the first separator decides which spelling it is; in the dotted one "/" stands for a dot in a name.
    const std::size_t first = path.find_first_of("./");
    if (first != std::string::npos && path[first] == '.')
        for (char& c : path) c = c == '.' ? '/' : c == '/' ? '.' : c;
    for (const auto& part : split(path, '/'))
        if (part.empty() || part == "." || part == "..")
            throw make_error(ErrorKind::invalid, "{} is not the name of a kernel setting", quote(name));
    static constexpr std::string_view kIpc[] = {"kernel/msgmax", "kernel/msgmnb",         "kernel/msgmni",
                                                "kernel/sem",    "kernel/shmall",         "kernel/shmmax",
                                                "kernel/shmmni", "kernel/shm_rmid_forced"};
    const bool own_ipc = spec.ipc == NamespaceMode::own;
    if (std::find(std::begin(kIpc), std::end(kIpc), path) != std::end(kIpc) || path.starts_with("fs/mqueue/")) {
        if (own_ipc) return path;
        throw make_error(ErrorKind::invalid, "kernel setting {} needs an IPC namespace of its own", quote(name));
    }
    if (path.starts_with("net/")) {
        if (spec.network == NamespaceMode::own) return path;
        throw make_error(ErrorKind::invalid, "kernel setting {} needs a network of its own", quote(name));
    }
    if (path == "kernel/domainname") {
        if (spec.uts == NamespaceMode::own) return path;
        throw make_error(ErrorKind::invalid, "kernel setting {} needs a UTS namespace of its own", quote(name));
    }
    throw make_error(ErrorKind::invalid, "kernel setting {} belongs to the whole host and can't be set for a container",
                     quote(name));
}

void plan_limits(PlanBuilder& plan) {
    bool nofile = false;
    for (const auto& wanted : plan.spec.rlimits) {
        const auto* known = std::find_if(std::begin(kLimits), std::end(kLimits),
                                         [&](const auto& entry) { return entry.first == wanted.name; });
        if (known == std::end(kLimits)) throw make_error(ErrorKind::invalid, "unknown limit {}", quote(wanted.name));
        limit(plan, known->first, known->second, wanted.soft, wanted.hard);
        nofile = nofile || known->second == RLIMIT_NOFILE;
    }
    if (nofile) return;
    const auto hard = static_cast<std::int64_t>(std::min<std::uint64_t>(524288, plan.facts.nofile_hard));
    limit(plan, "nofile", RLIMIT_NOFILE, std::min<std::int64_t>(1024, hard), hard);
}

void plan_sysctls(PlanBuilder& plan) {
    std::map<std::string, std::string> settings;
    if (plan.spec.network == NamespaceMode::own) {
        settings["net/ipv4/ping_group_range"] = "0 2147483647";
        settings["net/ipv4/ip_unprivileged_port_start"] = "0";
    }
    for (const auto& [name, value] : plan.spec.sysctls) settings[sysctl_path(name, plan.spec)] = value;
    for (const auto& [path, value] : settings) {
        Op& op = plan.add(OpKind::sysctl, fmt::format("set kernel setting {} to {}", path, quote(value)));
        op.target = plan.arena.text(path);
        op.source = plan.arena.text(value);
    }
}

void plan_process(PlanBuilder& plan, const ProcessSpec& process, LaunchPlan& result) {
    if (process.args.empty() || process.args.front().empty())
        throw make_error(ErrorKind::invalid, "there is no command to run");
    auto environment = complete_environment(plan.spec, process);
    const auto candidates = executable_candidates(process.args.front(), environment);
    std::vector<const char*> paths;
    for (const auto& path : candidates) paths.push_back(plan.arena.text(path));
    result.candidates = plan.arena.list(paths);
    result.looked_up = process.args.front().find('/') == std::string::npos;
    result.argv = plan.arena.texts(process.args);
    const bool wants_home = !has_key(environment, "HOME");
    if (wants_home) environment.emplace_back("HOME=/");
    result.envp = plan.arena.texts(environment);
    if (wants_home) result.home_slot = result.envp + environment.size() - 1;

    result.user = parse_user(process.user, process.additional_groups, plan.arena);
    const ContainerSpec& spec = plan.spec;
    const CapabilitySet container = spec.privileged
                                        ? plan.facts.capabilities
                                        : container_capabilities(spec.cap_add, spec.cap_drop, plan.facts.capabilities);
    result.capabilities = process.privileged ? plan.facts.capabilities : container;
    result.no_new_privileges = spec.no_new_privileges;
    if (!spec.seccomp_profile.empty())
        result.seccomp = plan.arena.list(
            seccomp_program(spec.seccomp_profile, container, {plan.facts.kernel_major, plan.facts.kernel_minor}));
    else if (!spec.privileged && !spec.seccomp_unconfined)
        result.seccomp = plan.arena.list(seccomp_program(container));
    result.terminal = process.terminal;
    result.rows = process.rows;
    result.columns = process.columns;
}

}  // namespace compose::runtime
