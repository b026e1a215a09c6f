// Containers: making is ContainerMaker's, running the supervisor's; removal is here.
#include "base/error.hpp"
#include "base/log.hpp"
#include "engine/action_context.hpp"
#include "engine/container_maker.hpp"
#include "engine/file_grants.hpp"
#include "engine/firewall_sync.hpp"
#include "engine/hooks.hpp"
#include "engine/old_logs.hpp"
#include "engine/pre_start.hpp"
#include "runtime/cgroup.hpp"
#include "store/event_log.hpp"
#include "sys/dir.hpp"
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
void take_down(const std::string& id, const std::optional<store::Container>& row, Session& session) {
    const bool supervised = session.ask_running([&](supervisor::Client& client) { client.forget(id); });
    if (!supervised && row) clean_up_kernel(*row, session.store());
}

/// Folder first, rows last: what is named in the database can be found and removed again.
void remove_traces(const std::string& id, const std::optional<store::Container>& row, bool with_volumes,
                   ActionContext& context, store::Store& store) {
    remove_secrets(id, context.layout);
    sys::remove_tree(context.layout.container(id));
    if (!row) return;
    std::vector<std::string> anonymous;
    if (with_volumes)
        for (const std::string& name : store.volumes_of(id))
            if (const auto volume = store.volume(name); volume && volume->anonymous) anonymous.push_back(name);
    store.delete_container(id);
    store::append_event(context.layout, {.type = "container",
                                         .action = "destroy",
                                         .id = id,
                                         .name = row->name,
                                         .project = row->project,
                                         .service = row->service,
                                         .attributes = {{"image", row->config.image}}});
    for (const std::string& name : anonymous)
        if (store.volume_users(name).empty()) remove_volume(store, name);
    context.generation.bump();
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
        if (const auto row = session.store().container(container);
            row && !sys::exists(context.layout.secrets(container)))
            restore_secrets(runtime::spec_from_json(row->config.spec), context.file, row->service, context.layout);
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

void perform(const RemoveContainer& action, ActionContext& context, Session& session) {
    const std::string event = "Container " + action.container.name;
    const auto tell = [&](Status status, const char* text) {
        if (!action.replaced) context.tell(status, event, text);
    };
    tell(Status::working, action.kill ? "Stopping" : "Removing");
    std::string id;
    std::optional<store::Container> row;
    if (!context.dry_run) {
        id = context.id_of(action.container);
        row = session.store().container(id);
        if (action.kill) run_hooks(HookKind::pre_stop, id, session);
        take_down(id, row, session);
    }
    if (action.kill) {
        tell(Status::done, "Stopped");
        tell(Status::working, "Removing");
    }
    if (!context.dry_run) {
        if (action.replaced) keep_logs(action.container.name, id, context);
        remove_traces(id, row, action.volumes, context, session.store());
    }
    tell(Status::done, "Removed");
}

}  // namespace compose::engine
