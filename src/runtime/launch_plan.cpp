#include "runtime/launch_plan.hpp"

#include "base/error.hpp"
#include "base/strings.hpp"
#include "runtime/host_hook.hpp"
#include "runtime/plan_builder.hpp"
#include "sys/kernel_abi.hpp"

namespace compose::runtime {
namespace {

constexpr std::uint64_t kNewTime = 0x80;

// Those of `mode`. The cgroup namespace is not among them: it must be made after the process has been put into its
// cgroups.
std::uint64_t namespaces_of(const ContainerSpec& spec, const HostFacts& facts) {
    std::uint64_t flags = CLONE_NEWNS;
    if (spec.network == NamespaceMode::own) flags |= CLONE_NEWNET;
    if (spec.pid == NamespaceMode::own) flags |= CLONE_NEWPID;
    if (spec.ipc == NamespaceMode::own) flags |= CLONE_NEWIPC;
    if (spec.uts == NamespaceMode::own) flags |= CLONE_NEWUTS;
    if (facts.time_namespaces) flags |= kNewTime;
    return flags;
}

// A process of the container is in these beside.
std::uint64_t joined_namespaces_of(const ContainerSpec& spec) {
    std::uint64_t flags = 0;
    if (spec.network == NamespaceMode::joined) flags |= CLONE_NEWNET;
    if (spec.pid == NamespaceMode::joined) flags |= CLONE_NEWPID;
    if (spec.ipc == NamespaceMode::joined) flags |= CLONE_NEWIPC;
    return flags;
}

// The pid namespace is not here: a process is born in it, or never gets there.
void plan_joins(PlanBuilder& plan) {
    const auto join = [&](NamespaceMode mode, Other other, std::uint64_t kind, const std::string& what) {
        if (mode != NamespaceMode::joined) return;
        Op& op = plan.add(OpKind::join_other, what);
        op.mode = static_cast<unsigned>(other);
        op.a = kind;
    };
    join(plan.spec.network, Other::network, CLONE_NEWNET, "join the network of container " + plan.spec.network_of);
    join(plan.spec.ipc, Other::ipc, CLONE_NEWIPC, "join the IPC namespace of container " + plan.spec.ipc_of);
}

void plan_oom_score(PlanBuilder& plan) {
    const int wanted = plan.spec.oom_score_adj.value_or(0);
    if (wanted == plan.facts.oom_score_adj) return;
    Op& op = plan.add(OpKind::oom_score_adj, fmt::format("set oom_score_adj to {}", wanted));
    op.source = plan.arena.text(std::to_string(wanted));
}

// While /proc is the host's. Whatever is cloned meanwhile keeps it, up to the first program that is run.
void plan_confinement(PlanBuilder& plan) {
    if (const std::string& profile = plan.spec.apparmor; !profile.empty()) {
        Op& op = plan.add(OpKind::apparmor, "use AppArmor profile " + quote(profile));
        op.source = plan.arena.text("exec " + profile);
    }
    if (const std::string& label = plan.spec.process_label; !label.empty())
        plan.add(OpKind::selinux, "use SELinux context " + quote(label)).source = plan.arena.text(label);
}

void plan_hostname(PlanBuilder& plan) {
    if (plan.spec.uts != NamespaceMode::own) return;
    if (!plan.spec.hostname.empty())
        plan.add(OpKind::hostname, "set the host name to " + quote(plan.spec.hostname)).source =
            plan.arena.text(plan.spec.hostname);
    if (!plan.spec.domainname.empty())
        plan.add(OpKind::domainname, "set the domain name to " + quote(plan.spec.domainname)).source =
            plan.arena.text(plan.spec.domainname);
}

// What follows once the process is inside, alike for a container's first process and for an exec.
void plan_last_steps(PlanBuilder& plan, const ProcessSpec& process, bool make_working_directory) {
    plan.add(OpKind::close_handles, "close descriptors");
    plan_limits(plan);
    plan.add(OpKind::session_keyring, "join a session keyring").source = plan.arena.text("_ses." + plan.spec.id);
    Op& directory = plan.add(OpKind::working_directory, fmt::format("enter working directory {}", quote(process.cwd)));
    if (!process.cwd.starts_with('/'))
        throw make_error(ErrorKind::invalid, "working directory {} is not an absolute path", quote(process.cwd));
    directory.target = plan.arena.text(process.cwd.substr(1));
    directory.flag = make_working_directory;
    plan.add(OpKind::become_user, "drop privileges");
}

void plan_start_hooks(PlanBuilder& plan, LaunchPlan& result) {
    const auto& hooks = plan.spec.start_hooks;
    if (hooks.empty()) return;
    auto state = to_json(HookState{plan.spec.id, "created", 0, plan.spec.bundle});
    state.pop_back();
    const char* text = plan.arena.text(state + ",\"pid\":");
    result.start_hooks = plan.arena.list<StartHook>(hooks.size());
    for (std::size_t i = 0; i < hooks.size(); ++i) {
        const HostHook& hook = hooks[i];
        Op& op = plan.add(OpKind::start_hook, fmt::format("startContainer hook {} of {}", hook.path, hook.origin));
        op.slot = static_cast<int>(i);
        result.start_hooks[i] = {plan.arena.text(hook.path),
                                 plan.arena.texts(hook.args.empty() ? std::vector{hook.path} : hook.args),
                                 plan.arena.texts(hook.env), text, hook.timeout.count()};
    }
}

LaunchPlan finish(PlanBuilder& plan, const ProcessSpec& process, LaunchPlan result = {}) {
    plan.add(OpKind::run, "exec");
    result.slots = static_cast<std::size_t>(plan.slots);
    plan_process(plan, process, result);
    result.ops = plan.arena.list(plan.ops);
    return result;
}

}  // namespace

LaunchPlan plan_launch(const ContainerSpec& spec, const HostFacts& facts, unsigned null_mask, Arena& arena) {
    PlanBuilder plan(spec, facts, arena);
    plan_oom_score(plan);
    plan_confinement(plan);
    plan_joins(plan);
    plan_sources(plan);
    plan_root(plan);
    if (!facts.cgroup_v2) plan.add(OpKind::enter_cgroups, "enter the cgroups");
    if (spec.cgroup == NamespaceMode::own) plan.add(OpKind::join_cgroup, "make a cgroup namespace");
    plan_default_mounts(plan);
    if (null_mask != 0 && !spec.process.terminal) {
        Op& op = plan.add(OpKind::null_stdio, "open /dev/null");
        op.place = Handle::dev;
        op.mode = null_mask;
    }
    plan_user_mounts(plan);
    if (spec.network == NamespaceMode::own) plan.add(OpKind::loopback_up, "bring up the loopback interface");
    plan_protected_paths(plan);
    const bool held = !spec.bundle.empty();
    if (held) {
        plan.add(OpKind::tell_mounted, "tell of the mounts");
        plan.add(OpKind::wait_release, "wait for the hooks");
    }
    // Programs that the container brings are going to run beside this process.
    if (!spec.start_hooks.empty()) plan.add(OpKind::forget, "forget the engine's memory");
    plan.add(OpKind::pivot, "change the root");
    plan_hostname(plan);
    plan.add(OpKind::resolve_user, "look up the user");
    if (!held) plan.add(OpKind::wait_release, "wait for the network");
    plan_sysctls(plan);
    plan_last_steps(plan, spec.process, true);
    LaunchPlan result;
    plan_start_hooks(plan, result);
    result = finish(plan, spec.process, result);
    result.namespaces = namespaces_of(spec, facts);
    result.reaper = spec.init;
    return result;
}

LaunchPlan plan_exec(const ContainerSpec& spec, const ProcessSpec& process, const HostFacts& facts, unsigned null_mask,
                     Arena& arena) {
    PlanBuilder plan(spec, facts, arena);
    plan_oom_score(plan);
    plan_confinement(plan);
    plan.add(OpKind::wait_attached, "wait for the cgroup");
    plan.add(OpKind::join_namespaces, "join the container's namespaces");
    if (process.terminal)
        plan.add(OpKind::open_terminal, "open a terminal");
    else if (null_mask != 0)
        plan.add(OpKind::null_stdio, "open the container's /dev/null").mode = null_mask;
    plan.add(OpKind::second_stage, "start a process in the container");
    plan.add(OpKind::resolve_user, "look up the user");
    plan_last_steps(plan, process, false);
    LaunchPlan result = finish(plan, process);
    result.namespaces = namespaces_of(spec, facts) | joined_namespaces_of(spec) |
                        (spec.cgroup == NamespaceMode::own ? CLONE_NEWCGROUP : 0U);
    return result;
}

}  // namespace compose::runtime
