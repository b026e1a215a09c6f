#include "engine/pre_start.hpp"

#include <algorithm>
#include <compose/containers.hpp>

#include "base/error.hpp"
#include "base/log.hpp"
#include "engine/one_off.hpp"
#include "engine/silent_sink.hpp"
#include "engine/wait_watcher.hpp"
#include "runtime/spec.hpp"

namespace compose::engine {
namespace {

using store::ContainerState;

// The service as the hook sees it: the same volumes, networks and rights, another command, and nobody who looks after
// it.
Project with_hook(const Project& project, const Service& from, const Hook& hook) {
    Project result = project;
    Service& service = result.services.at(from.name);
    service = from;
    service.command = hook.command;
    service.entrypoint.emplace();
    if (!hook.image.empty()) service.image = hook.image;
    if (!hook.user.empty()) service.user = hook.user;
    if (!hook.working_dir.empty()) service.working_dir = hook.working_dir;
    service.privileged = service.privileged || hook.privileged;
    for (const auto& [name, value] : hook.environment) service.environment[name] = value;
    service.healthcheck.emplace().disabled = true;
    service.extensions.clear();
    service.restart = {};
    service.deploy = {};
    service.tty = false;
    service.pre_start.clear();
    service.post_start.clear();
    service.pre_stop.clear();
    return result;
}

// Its exit code, once it is down.
int wait_for_end(const std::string& id, Session& session) {
    constexpr std::chrono::milliseconds kLookAgain{100};
    auto client = supervisor::Client::connect(session.layout(), session.project());
    if (client) client->subscribe();
    for (;;) {
        const auto row = session.store().container(id);
        if (!row) throw make_error("its container was removed");
        if (row->state == ContainerState::exited || row->state == ContainerState::dead) return row->exit_code;
        if (session.cancel().stop_requested()) throw make_error("canceled").with_exit_code(130);
        // What happens between the look and the wait is told after the subscription.
        if (!client || client->closed()) throw make_error("its supervisor is gone");
        (void)client->next(kLookAgain);
    }
}

// What a hook of one replica shares with it.
Beside beside(const store::Container& replica, Session& session) {
    Beside out{.number = replica.number, .anonymous_volumes = {}};
    std::map<std::string, std::string> names;  // by folder
    for (const std::string& name : session.store().volumes_of(replica.id))
        if (const auto volume = session.store().volume(name); volume && volume->anonymous)
            names[session.layout().volume_data(name)] = name;
    for (const runtime::MountSpec& mount : runtime::spec_from_json(replica.config.spec).mounts)
        if (const auto found = names.find(mount.source); found != names.end())
            out.anonymous_volumes[mount.target] = found->second;
    return out;
}

// `replica` is null for a hook of the service as a whole.
void run_one(const Service& service, std::size_t index, const store::Container* replica, ActionContext& context,
             Session& session) {
    const Hook& hook = service.pre_start.at(index);
    const Project project = with_hook(*context.file, service, hook);
    SilentSink sink;
    ActionContext quiet(context.layout, context.project, nullptr, sink);
    CreateOptions options;
    options.aliases = false;
    options.ports = false;
    options.name = fmt::format("{}-{}-pre_start-{}", context.project, service.name, index);
    if (replica != nullptr) options.name += fmt::format("-{}", replica->number);
    // One that has failed, or that a killed command left, has its name.
    if (const auto left = session.store().container_by_name(options.name); left && left->project == context.project)
        perform(RemoveContainer{{left->name, left->id}, true, false, true}, quiet, session);
    Beside place = replica != nullptr ? beside(*replica, session) : Beside{};
    place.hook = "pre_start";
    const std::string id = make_one_off(session.store(), sink, context.project, project, service.name, options, place);
    int code = 0;
    try {
        session.ask([&](supervisor::Client& client) { client.start(id); });
        code = wait_for_end(id, session);
    } catch (...) {
        perform(RemoveContainer{{options.name, id}, true, false, true}, quiet, session);
        throw;
    }
    if (code == 0) return perform(RemoveContainer{{options.name, id}, true, false, true}, quiet, session);
    // It stays, to be looked at, until the next run or `down`.
    auto error = make_error("pre_start[{}] exited with code {} (container {})", index, code, options.name);
    if (const auto said = last_log_lines(context.layout, id); !said.empty())
        error.with_hint("the last lines of its log:\n" + said);
    throw error;
}

}  // namespace

void run_pre_start(const Service& service, const std::string& container, ActionContext& context, Session& session) {
    const auto one_is_up = [&] {
        const auto rows = session.store().containers_without_spec(context.project);
        return std::any_of(rows.begin(), rows.end(), [&](const store::Container& row) {
            return !row.oneoff && row.service == service.name && store::is_up(row.state);
        });
    };
    for (std::size_t i = 0; i < service.pre_start.size(); ++i) {
        if (service.pre_start[i].per_replica) {
            const auto replica = session.store().container(container);
            if (!replica) throw make_error(ErrorKind::not_found, "the container is gone");
            run_one(service, i, &*replica, context, session);
            continue;
        }
        // Whoever comes later finds it done: none of them starts before.
        context.once(fmt::format("pre_start[{}] of {}", i, service.name), [&] {
            if (!one_is_up()) run_one(service, i, nullptr, context, session);
        });
    }
}

}  // namespace compose::engine
