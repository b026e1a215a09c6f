// Containers: making is ContainerMaker's, running the supervisor's; removal is here.
#include "base/error.hpp"
#include "base/log.hpp"
#include "engine/action_context.hpp"
#include "engine/apparmor.hpp"
#include "engine/container_maker.hpp"
#include "engine/file_grants.hpp"
#include "engine/firewall_sync.hpp"
#include "engine/hooks.hpp"
#include "engine/old_logs.hpp"
#include "engine/pre_start.hpp"
#include "runtime/cgroup.hpp"
#include "sys/file.hpp"

namespace compose::engine {
namespace {

using Status = Event::Status;

/// What a supervisor would do, when there is none: nothing of the container may be left in the kernel.
void clean_up_kernel(const store::Container& row, const store::Store& store) {
    if (row.started_at == 0) return;
    const runtime::ContainerSpec spec = runtime::spec_from_json(row.config.spec);
    runtime::Cgroup cgroup(runtime::cgroup_root(), spec.cgroup_parent, row.id);
    if (cgroup.exists()) {
        cgroup.kill();
        cgroup.remove();
    }
    const std::vector<net::PublishedPort> ports = published_ports(store, row.id);
    if (!ports.empty()) firewall_of(store).unpublish(ports);
}

/// Nothing of it runs afterwards.
void take_down(const std::string& id, Session& session) {
    if (session.ask_running([&](supervisor::Client& client) { client.forget(id); })) return;
    if (const auto row = session.store().container(id)) clean_up_kernel(*row, session.store());
}

/// Folder first, rows last: what is named in the database, or lies in the trash, can be found and removed again.
void remove_traces(const std::string& id, bool with_volumes, ActionContext& context, Session& session) {
    const auto row = session.store().container(id);
    remove_secrets(id, context.layout);
    context.trash.take(context.layout.container(id));
    if (row) context.removed.add({store::container_event(*row, "destroy"), with_volumes});
    if (!context.gathers_removals || context.removed.full()) context.removed.flush(session.store(), context.generation);
    if (!context.gathers_removals) context.trash.empty_all();
}

/// For the one that takes its place, whether that is there already or not.
void keep_logs(const std::string& name, const std::string& old_id, ActionContext& context) {
    set_logs_aside(context.layout, old_id, name);
    const std::string next = context.made_id(name);
    if (!next.empty()) take_logs_over(context.layout, name, next);
}

}  // namespace

void perform(const CreateContainer& action, ActionContext& context, Session& session) {
    const std::string id = "Container " + action.name;
    const bool replaces = !action.replaces.empty();
    context.tell(Status::working, id, replaces ? "Recreate" : "Creating");
    if (!context.dry_run) (void)ContainerMaker(action, context, session.store()).run();
    if (action.temporary_name.empty()) context.tell(Status::done, id, replaces ? "Recreated" : "Created");
}

void perform(const RenameContainer& action, ActionContext& context, Session& session) {
    if (!context.dry_run) {
        session.store().rename_container(context.id_of(action.container), action.container.name);
        context.generation.bump();
    }
    if (action.replaces) context.tell(Status::done, "Container " + action.container.name, "Recreated");
}

void perform(const StartContainer& action, ActionContext& context, Session& session) {
    const std::string id = "Container " + action.container.name;
    context.tell(Status::working, id, "Starting");
    if (!context.dry_run) {
        const std::string container = context.id_of(action.container);
        if (const auto row = session.store().container(container)) {
            const auto spec = runtime::spec_from_json(row->config.spec);
            restore_apparmor_profile(spec);
            if (!sys::exists(context.layout.secrets(container)))
                restore_secrets(spec, context.file, row->service, context.layout);
        }
        if (context.file != nullptr)
            if (context.file->services.contains(action.service))
                run_pre_start(context.service(action.service), container, context, session);
        session.ask([&](supervisor::Client& client) { client.start(container); });
        context.started(container);
        run_hooks(HookKind::post_start, container, session);
    }
    context.tell(Status::done, id, "Started");
}

void perform(const StopContainer& action, ActionContext& context, Session& session) {
    const std::string id = "Container " + action.container.name;
    if (!action.replaced) context.tell(Status::working, id, "Stopping");
    if (!context.dry_run) {
        const std::string container = context.id_of(action.container);
        run_hooks(HookKind::pre_stop, container, session);
        (void)session.ask_running([&](supervisor::Client& client) { client.stop(container, action.timeout); });
    }
    if (!action.replaced) context.tell(Status::done, id, "Stopped");
}

void perform(const RestartContainer& action, ActionContext& context, Session& session) {
    const std::string id = "Container " + action.container.name;
    context.tell(Status::working, id, "Restarting");
    if (!context.dry_run) {
        const std::string container = context.id_of(action.container);
        run_hooks(HookKind::pre_stop, container, session);
        session.ask([&](supervisor::Client& client) { client.restart(container, action.timeout); });
        run_hooks(HookKind::post_start, container, session);
    }
    context.tell(Status::done, id, "Started");
}

void end_first(const RemoveContainer& action, ActionContext& context, Session& session) {
    const auto tell = [&](Status status, const char* text) {
        if (!action.replaced) context.tell(status, "Container " + action.container.name, text);
    };
    tell(Status::working, action.kill ? "Stopping" : "Removing");
    if (!context.dry_run) {
        const std::string id = context.id_of(action.container);
        if (action.kill) run_hooks(HookKind::pre_stop, id, session);
        take_down(id, session);
    }
    if (!action.kill) return;
    tell(Status::done, "Stopped");
    tell(Status::working, "Removing");
}

void remove_ended(const RemoveContainer& action, ActionContext& context, Session& session) {
    if (!context.dry_run) {
        const std::string id = context.id_of(action.container);
        if (action.replaced) keep_logs(action.container.name, id, context);
        remove_traces(id, action.volumes, context, session);
    }
    if (!action.replaced) context.tell(Status::done, "Container " + action.container.name, "Removed");
}

void perform(const RemoveContainer& action, ActionContext& context, Session& session) {
    end_first(action, context, session);
    remove_ended(action, context, session);
}

}  // namespace compose::engine
