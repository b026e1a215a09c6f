#include "engine/pre_start.hpp"

#include <compose/containers.hpp>

#include "base/error.hpp"
#include "base/log.hpp"
#include "engine/one_off.hpp"
#include "engine/silent_sink.hpp"
#include "engine/wait_watcher.hpp"

namespace compose::engine {
namespace {

using store::ContainerState;

// The service as the hook sees it: the same volumes, networks and rights, another command, and nobody who looks after
// it.
Project with_hook(const Project& project, const Service& from, const Hook& hook) {
    Project result = project;
    Service& service = result.services.at(from.name);
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
    constexpr std::chrono::milliseconds kLookAgain{500};
    auto client = supervisor::Client::connect(session.layout(), session.project());
    if (client) client->subscribe();
    for (;;) {
        const auto row = session.store().container(id);
        if (!row) throw make_error("its container was removed");
        if (row->state == ContainerState::exited || row->state == ContainerState::dead) return row->exit_code;
        // What happens between the look and the wait is told after the subscription.
        if (!client || client->closed()) throw make_error("its supervisor is gone");
        (void)client->next(kLookAgain);
    }
}

void run_one(const Service& service, std::size_t index, ActionContext& context, Session& session) {
    const Hook& hook = service.pre_start.at(index);
    if (hook.per_replica) throw make_error(ErrorKind::invalid, "pre_start[{}]: per_replica is not supported", index);
    const Project project = with_hook(*context.file, service, hook);
    SilentSink sink;
    ActionContext quiet(context.layout, context.project, nullptr, sink);
    CreateOptions options;
    options.aliases = false;
    options.ports = false;
    options.name = fmt::format("{}-{}-pre_start-{}", context.project, service.name, index);
    // One that a killed command left would have its name.
    if (const auto left = session.store().container_by_name(options.name); left && left->project == context.project)
        perform(RemoveContainer{{left->name, left->id}, true, false, true}, quiet, session);
    const std::string id = make_one_off(session.store(), sink, context.project, project, service.name, options);
    int code = 0;
    std::string said;
    try {
        session.ask([&](supervisor::Client& client) { client.start(id); });
        code = wait_for_end(id, session);
        if (code != 0) said = last_log_lines(context.layout, id);
    } catch (...) {
        perform(RemoveContainer{{options.name, id}, true, false, true}, quiet, session);
        throw;
    }
    perform(RemoveContainer{{options.name, id}, true, false, true}, quiet, session);
    if (code == 0) return;
    auto error = make_error("pre_start[{}] exited with code {}", index, code);
    if (!said.empty()) error.with_hint("the last lines of its log:\n" + said);
    throw error;
}

}  // namespace

void run_pre_start(const Service& service, ActionContext& context, Session& session) {
    if (service.pre_start.empty()) return;
    context.once("pre_start of " + service.name, [&] {
        for (const store::Container& row : session.store().containers_without_spec(context.project))
            if (!row.oneoff && row.service == service.name && store::is_up(row.state)) return;
        for (std::size_t i = 0; i < service.pre_start.size(); ++i) run_one(service, i, context, session);
    });
}

}  // namespace compose::engine
