// RUN: the container of one step.
#include <algorithm>
#include <mutex>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/strings.hpp"
#include "engine/apparmor.hpp"
#include "engine/build_key.hpp"
#include "engine/build_mounts.hpp"
#include "engine/build_run.hpp"
#include "engine/build_stage.hpp"
#include "engine/build_stubs.hpp"
#include "engine/cdi.hpp"
#include "engine/spec_builder.hpp"
#include "net/dns_server.hpp"
#include "runtime/host_hook.hpp"
#include "sys/clock.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/tree.hpp"

namespace compose::engine {
namespace {

/// The last lines of an output, for errors.
class Tail {
public:
    void add(std::string_view text) {
        text_ += text;
        if (text_.size() > 2 * kMax) text_.erase(0, text_.size() - kMax);
    }
    [[nodiscard]] std::string text() const {
        constexpr std::size_t kLines = 20;
        auto lines = split(text_, '\n');
        if (!lines.empty() && lines.back().empty()) lines.pop_back();
        if (lines.size() > kLines) lines.erase(lines.begin(), lines.end() - kLines);
        return join(lines, "\n");
    }

private:
    static constexpr std::size_t kMax = 8192;
    std::string text_;
};

bool is_allowed(const BuildRequest& request, const std::string& what) {
    return std::find(request.allow.begin(), request.allow.end(), what) != request.allow.end();
}

std::string shown_command(const build::RunStep& run) {
    auto text = run.script ? std::string("the script") : quote(join(run.argv, " "));
    constexpr std::size_t kMax = 300;
    if (text.size() > kMax) text = text.substr(0, kMax) + "...\"";
    return text;
}

Error failure_of(const RunOutcome& outcome, const build::RunStep& run) {
    if (!outcome.failure.empty())
        return make_error("{} could not be started: {}", shown_command(run), outcome.failure)
            .with_exit_code(outcome.exit_code);
    auto error = make_error("{} ended with exit code {}{}", shown_command(run), outcome.exit_code,
                            outcome.out_of_memory ? ": it ran out of memory" : "");
    return error;
}

}  // namespace

StageBuilder::Layer StageBuilder::run_command(const build::Step& step, const build::RunStep& run, const Told& told) {
    const auto folders = new_folders();
    auto spec = container_spec(run, folders);
    const auto hooks = add_devices(run, spec);
    const StepMounts mounts(shared_, store_, run.mounts);
    spec.mounts.insert(spec.mounts.end(), mounts.specs().begin(), mounts.specs().end());
    spec.process.env.insert(spec.process.env.end(), mounts.environment().begin(), mounts.environment().end());
    if (run.script) {
        const auto path = folders.path + "/script";
        sys::write_file(path, *run.script, 0755);
        sys::set_mode(sys::open_for_reading(path), 0755);
        runtime::MountSpec script;
        script.source = path;
        script.target = run.argv.front();
        script.read_only = true;
        spec.mounts.push_back(std::move(script));
    }
    const auto network =
        run.network == "default" && !shared_.request.network.empty() ? shared_.request.network : run.network;
    std::unique_ptr<BuildNetwork::Seat> seat;
    if (network == "host")
        spec.network = runtime::NamespaceMode::host;
    else if (network != "none")
        seat = shared_.network.take_seat();
    write_host_files(spec, folders, seat.get());

    std::vector<std::string> targets{"/etc/hosts", "/etc/resolv.conf", "/etc/hostname", "/proc", "/sys", "/dev"};
    for (const auto& mount : spec.mounts) targets.push_back(mount.target);
    const MountStubs stubs(spec.lower, targets);

    Tail tail;
    shared_.workspace.note_container(spec.id, spec.cgroup_parent);
    runtime::prepare_bundle(spec, folders.path, hooks);
    RunRequest request{.spec = spec, .hooks = hooks, .connect = {}, .output = {}};
    if (seat) request.connect = [&](sys::FdRef netns) { seat->connect(netns); };
    request.output = [&](std::string_view text) {
        tail.add(text);
        tell(BuildEvent::Kind::output, told, std::string(text));
    };
    const auto outcome = run_container(request, shared_.cancel);
    shared_.workspace.forget_container(spec.id);
    if (outcome.cancelled) throw Error("the build was given up");
    if (!outcome.failure.empty() || outcome.exit_code != 0) fail(step.pos, failure_of(outcome, run), tail.text());
    stubs.remove_from(sys::open_directory(folders.upper));
    return adopt(folders);
}

std::string StageBuilder::run_key(const build::Step&, const build::RunStep& run) {
    StepKey key("run");
    key.add(built_.top())
        .add(run.argv)
        .add(run.env)
        .add(evaluator_->config().user)
        .add(evaluator_->config().working_dir);
    key.add(run.network).add(run.insecure ? "insecure" : "").add(run.script.value_or(""));
    std::vector<std::string> devices;
    for (const auto& device : run.devices) devices.push_back(device.name);
    key.add(devices);
    key.add(mounts_key(shared_, store_, run.mounts)).add(shared_.request.network);
    for (const auto& [name, addresses] : shared_.request.extra_hosts) key.add(name).add(addresses);
    return key.hex();
}

runtime::ContainerSpec StageBuilder::container_spec(const build::RunStep& run, const Folders& folders) {
    if (run.insecure && !is_allowed(shared_.request, "security.insecure"))
        throw make_error(ErrorKind::invalid, "--security=insecure is not allowed")
            .with_hint("allow it with --allow security.insecure, or build.entitlements");
    runtime::ContainerSpec spec;
    spec.id = sys::random_id();
    spec.name = "build step";
    spec.lower = shared_.folders(built_.chain);
    if (spec.lower.empty()) throw make_error(ErrorKind::invalid, "RUN needs an image with a program: scratch is empty");
    spec.upper = folders.upper;
    spec.work = folders.work;
    spec.hostname = "build";
    spec.process.args = run.argv;
    spec.process.env = run.env;
    spec.process.env.insert(spec.process.env.end(), run.hidden.begin(), run.hidden.end());
    spec.process.user = evaluator_->config().user;
    if (!evaluator_->config().working_dir.empty()) spec.process.cwd = evaluator_->config().working_dir;
    spec.privileged = run.insecure;
    if (!run.insecure) spec.apparmor = default_apparmor_profile();
    if (shared_.request.shm_size) spec.shm_size = *shared_.request.shm_size;
    spec.resources.memory = shared_.request.memory;
    for (const auto& [name, limit] : shared_.request.ulimits) spec.rlimits.push_back({name, limit.first, limit.second});
    const auto& parent = shared_.request.cgroup_parent;
    spec.cgroup_parent = parent.empty() ? "compose/" + shared_.installation : cgroup_parent_path(parent);
    return spec;
}

std::vector<runtime::HostHook> StageBuilder::add_devices(const build::RunStep& run, runtime::ContainerSpec& spec) {
    std::vector<runtime::HostHook> hooks;
    for (const auto& device : run.devices) {
        const auto& request = shared_.request;
        if (!is_allowed(request, "device") && !is_allowed(request, "device=" + device.name))
            throw make_error(ErrorKind::invalid, "--device={} is not allowed", device.name)
                .with_hint(fmt::format("allow it with --allow device={}, or build.entitlements", device.name));
        CdiEdits edits;
        try {
            edits = CdiRegistry().edits_for({device.name});
        } catch (const Error& error) {
            if (device.required || error.kind() != ErrorKind::not_found) throw;
            const std::lock_guard lock(shared_.mutex);
            shared_.findings.warning(device.pos, "",
                                     fmt::format("the step runs without {}: there is none", device.name), error.hint());
            continue;
        }
        const auto append = [](auto& to, auto& from) { to.insert(to.end(), from.begin(), from.end()); };
        append(spec.devices, edits.devices);
        append(spec.mounts, edits.mounts);
        append(spec.process.env, edits.environment);
        append(spec.process.additional_groups, edits.groups);
        append(hooks, edits.hooks);
        if (!edits.net_devices.empty() || edits.cache_share)
            throw make_error(ErrorKind::unavailable,
                             "device {} has netDevices or intelRdt, which steps of a build don't get", device.name);
    }
    return hooks;
}

void StageBuilder::write_host_files(runtime::ContainerSpec& spec, const Folders& folders,
                                    const BuildNetwork::Seat* seat) {
    const auto write = [&](const char* name, const std::string& text) {
        auto path = folders.path + "/" + name;
        sys::write_file(path, text, 0644);
        sys::set_mode(sys::open_for_reading(path), 0644);
        return path;
    };
    std::vector<net::HostsEntry> hosts;
    for (const auto& [name, addresses] : shared_.request.extra_hosts)
        for (const auto& address : addresses)
            hosts.push_back(
                {address == "host-gateway" ? (seat != nullptr ? seat->gateway().to_string() : "127.0.0.1") : address,
                 {name}});
    if (seat != nullptr) hosts.push_back({seat->address().to_string(), {spec.hostname}});
    const bool host = spec.network == runtime::NamespaceMode::host;
    spec.hosts_file = write("hosts", host && hosts.empty() ? shared_.host.hosts : net::render_hosts(hosts));
    spec.resolv_conf_file =
        write("resolv.conf", host ? shared_.host.resolv_conf : build_resolv_conf(shared_.host.resolv_conf));
    spec.hostname_file = write("hostname", spec.hostname + "\n");
}

}  // namespace compose::engine
