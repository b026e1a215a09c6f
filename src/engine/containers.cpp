// compose/containers.hpp: each call finds its container, asks the project's supervisor where processes are concerned,
// and does the rest itself.
#include <algorithm>
#include <array>
#include <compose/containers.hpp>
#include <compose/plan.hpp>
#include <thread>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/strings.hpp"
#include "engine/action_context.hpp"
#include "engine/apparmor.hpp"
#include "engine/boot.hpp"
#include "engine/container_changes.hpp"
#include "engine/container_details.hpp"
#include "engine/container_root.hpp"
#include "engine/container_stats.hpp"
#include "engine/container_view.hpp"
#include "engine/copy_files.hpp"
#include "engine/exec_session.hpp"
#include "engine/file_grants.hpp"
#include "engine/hooks.hpp"
#include "engine/limit_changes.hpp"
#include "engine/observe.hpp"
#include "engine/one_off.hpp"
#include "engine/process_list.hpp"
#include "engine/run_folder.hpp"
#include "image/tree_tar.hpp"
#include "runtime/cgroup.hpp"
#include "runtime/spec.hpp"
#include "store/event_log.hpp"
#include "supervisor/restart.hpp"
#include "sys/poll.hpp"

namespace compose {

using engine::Session;
using supervisor::Client;

namespace {

constexpr std::chrono::seconds kLockTimeout{120};

class Streams : public AttachSession {
public:
    explicit Streams(Client::Streams streams) : streams_(std::move(streams)) {}
    [[nodiscard]] int out() const override { return streams_.out.get(); }
    [[nodiscard]] int err() const override { return streams_.err.get(); }
    [[nodiscard]] int in() const override { return streams_.in.get(); }
    void close_input() override { streams_.in.reset(); }
    [[nodiscard]] bool terminal() const override { return streams_.terminal; }

private:
    Client::Streams streams_;
};

/// One between two attempts has ended, for whoever waits for its end.
bool has_process(store::ContainerState state) {
    return state == store::ContainerState::running || state == store::ContainerState::paused;
}

bool is_valid_name(const std::string& name) {
    const auto word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
    return name.size() > 1 && word(name[0]) &&
           std::all_of(name.begin(), name.end(), [&](char c) { return word(c) || c == '_' || c == '.' || c == '-'; });
}

}  // namespace

struct Containers::Impl {
    EngineOptions options;
    EventSink& events;
    store::Layout layout;
    std::optional<store::Store> opened;

    store::Store& store() {
        if (!opened) {
            layout.prepare();
            opened.emplace(layout);
        }
        return *opened;
    }
    [[nodiscard]] store::ProjectLock lock(const std::string& project) const {
        layout.prepare();
        return {layout, project, options.command, std::chrono::duration_cast<std::chrono::milliseconds>(kLockTimeout)};
    }
    void tell(Event::Status status, const store::Container& row, const char* text) const {
        events.on_event({status, "Container " + row.name, text, {}, 0, 0});
    }
    [[nodiscard]] store::ContainerState state_of(const store::Container& row) const {
        return engine::Liveness(layout, row.project).state_of(row);
    }

    /// Asks the supervisor that runs; nothing runs without one.
    Client running_client(const store::Container& row) {
        engine::repair_liveness(store(), row.project);
        auto client = Client::connect(layout, row.project);
        if (!client) throw make_error(ErrorKind::conflict, "container {} is not running", row.name);
        return std::move(*client);
    }
    template <class Request>
    void ask(const store::Container& row, const char* doing, const char* done, const Request& request) {
        tell(Event::Status::working, row, doing);
        try {
            if (!options.dry_run) request();
        } catch (const Error& error) {
            events.on_event({Event::Status::error, "Container " + row.name, "Error", error.what(), 0, 0});
            throw;
        }
        tell(Event::Status::done, row, done);
    }
    void record(const store::Container& row, const char* action, std::map<std::string, std::string> more = {}) const {
        store::append_event(layout, store::container_event(row, action, std::move(more)));
    }
    /// Tells a supervisor that what it remembers has changed.
    void refresh(const store::Container& row) const {
        if (auto client = Client::connect(layout, row.project)) client->refresh(row.id);
    }
};

Containers::Containers(EngineOptions options, EventSink& events)
    : impl_(new Impl{options, events, store::Layout::from(options.state_dir, options.run_dir), {}}) {}

Containers::~Containers() = default;

std::vector<ContainerView> Containers::list(const std::string& project) {
    return engine::container_views(impl_->store(), project);
}

std::vector<std::string> Containers::projects() {
    auto names = impl_->store().projects();
    std::erase(names, kStandaloneProject);
    return names;
}

ContainerView Containers::find(const std::string& reference) {
    return engine::container_view(impl_->store(), engine::find_container(impl_->store(), reference));
}

ContainerDetails Containers::inspect(const std::string& reference) {
    return engine::container_details(impl_->store(), engine::find_container(impl_->store(), reference));
}

std::string Containers::create(const std::string& project_name, const Project& project, const std::string& service,
                               const CreateOptions& options) {
    const store::ProjectLock held = impl_->lock(project_name);
    if (!options.name.empty() && !is_valid_name(options.name))
        throw make_error(ErrorKind::invalid, "invalid container name {}", quote(options.name))
            .with_hint("letters, digits, \"_\", \".\" and \"-\"; the first one a letter or digit");
    return engine::make_one_off(impl_->store(), impl_->events, project_name, project, service, options);
}

// --- running --------------------------------------------------------------------------------------------------------

std::size_t Containers::start_after_boot() {
    return engine::start_after_boot(impl_->store(), impl_->events, impl_->options);
}

void Containers::start(const std::string& reference) {
    const auto row = engine::find_container(impl_->store(), reference);
    impl_->ask(row, "Starting", "Started", [&] {
        const auto spec = runtime::spec_from_json(row.config.spec);
        engine::restore_apparmor_profile(spec);
        engine::restore_secrets(spec, nullptr, row.service, impl_->layout);
        Client::connect_or_spawn(impl_->layout, row.project).start(row.id);
    });
}

std::unique_ptr<AttachSession> Containers::start_attached(const std::string& reference, bool input) {
    const auto row = engine::find_container(impl_->store(), reference);
    return std::make_unique<Streams>(
        Client::connect_or_spawn(impl_->layout, row.project).start_listening(row.id, input));
}

void Containers::run_post_start(const std::string& reference) {
    const auto row = engine::find_container(impl_->store(), reference);
    constexpr auto kLook = std::chrono::milliseconds(10);
    constexpr int kMostLooks = 1000;
    auto state = row.state;
    for (int looks = 0; state != store::ContainerState::running; ++looks) {
        if (looks == kMostLooks || state == store::ContainerState::exited) return;
        std::this_thread::sleep_for(kLook);
        const auto now = impl_->store().container(row.id);
        if (!now) return;
        state = now->state;
    }
    engine::Session session(impl_->store(), row.project);
    engine::run_hooks(engine::HookKind::post_start, row.id, session);
}

void Containers::stop(const std::string& reference, std::optional<Nanoseconds> timeout, std::optional<int> signal) {
    const auto row = engine::find_container(impl_->store(), reference);
    impl_->ask(row, "Stopping", "Stopped", [&] {
        engine::repair_liveness(impl_->store(), row.project);
        if (auto client = Client::connect(impl_->layout, row.project))
            client->stop(row.id, timeout, signal.value_or(0));
    });
}

void Containers::restart(const std::string& reference, std::optional<Nanoseconds> timeout) {
    const auto row = engine::find_container(impl_->store(), reference);
    impl_->ask(row, "Restarting", "Started",
               [&] { Client::connect_or_spawn(impl_->layout, row.project).restart(row.id, timeout); });
}

void Containers::kill(const std::string& reference, int signal) {
    const auto row = engine::find_container(impl_->store(), reference);
    impl_->ask(row, "Killing", "Killed", [&] { impl_->running_client(row).kill(row.id, signal); });
}

void Containers::pause(const std::string& reference) {
    const auto row = engine::find_container(impl_->store(), reference);
    impl_->ask(row, "Pausing", "Paused", [&] { impl_->running_client(row).pause(row.id); });
}

void Containers::unpause(const std::string& reference) {
    const auto row = engine::find_container(impl_->store(), reference);
    impl_->ask(row, "Unpausing", "Unpaused", [&] { impl_->running_client(row).unpause(row.id); });
}

void Containers::remove(const std::string& reference, bool force, bool volumes) {
    auto row = engine::find_container(impl_->store(), reference);
    std::optional<store::ProjectLock> held;
    if (!impl_->options.dry_run) {
        held.emplace(impl_->lock(row.project));
        engine::repair_liveness(impl_->store(), row.project);
    }
    const auto fresh = impl_->store().container(row.id);
    if (!fresh) return;
    const auto state = impl_->state_of(*fresh);
    if (store::is_up(state) && !force)
        throw make_error(ErrorKind::conflict, "cannot remove container {}: it is {}", row.name, to_string(state))
            .with_hint("stop it first, or use force");
    engine::ActionContext context(impl_->layout, row.project, nullptr, impl_->events);
    context.dry_run = impl_->options.dry_run;
    RemoveContainer action;
    action.container = {row.name, row.id};
    action.volumes = volumes;
    {
        // Its supervisor leaves only once nobody talks to it.
        Session session(impl_->store(), row.project);
        engine::perform(action, context, session);
    }
    // By hand the next one may come at once: nobody waits until that supervisor has left.
    if (!context.dry_run && row.project != kStandaloneProject) engine::remove_run_folder(impl_->store(), row.project);
}

void Containers::empty_trash() {
    if (!impl_->options.dry_run) engine::Trash(impl_->layout).empty_all();
}

void Containers::rename(const std::string& reference, const std::string& name) {
    auto row = engine::find_container(impl_->store(), reference);
    const std::string wanted = name.starts_with('/') ? name.substr(1) : name;
    if (!is_valid_name(wanted))
        throw make_error(ErrorKind::invalid, "invalid container name {}", quote(wanted))
            .with_hint("letters, digits, \"_\", \".\" and \"-\"; the first one a letter or digit");
    const std::string old_name = row.name;
    auto& store = impl_->store();
    store.transaction([&] {
        store.rename_container(row.id, wanted);
        for (store::Endpoint& endpoint : store.endpoints_of(row.id)) {
            std::replace(endpoint.aliases.begin(), endpoint.aliases.end(), row.name, wanted);
            store.update_aliases(endpoint);
        }
    });
    store::Generation(impl_->layout).bump();
    row.name = wanted;
    impl_->record(row, "rename", {{"oldName", old_name}});
    impl_->refresh(row);
}

void Containers::update(const std::string& reference, const LimitChanges& changes) {
    auto row = engine::find_container(impl_->store(), reference);
    if (changes.restart && !supervisor::RestartPolicy::parse(*changes.restart))
        throw make_error(ErrorKind::invalid, "{} is no restart policy", quote(*changes.restart))
            .with_hint("use no, always, on-failure[:N] or unless-stopped");
    auto spec = runtime::spec_from_json(row.config.spec);
    engine::apply_changes(changes, spec.resources);
    const auto state = impl_->state_of(row);
    // The kernel first: what it refuses is not written down.
    if (state == store::ContainerState::running || state == store::ContainerState::paused)
        runtime::Cgroup(runtime::cgroup_root(), spec.cgroup_parent, row.id).update(spec.resources);
    auto& store = impl_->store();
    store.transaction([&] {
        store.update_spec(row.id, runtime::to_json(spec));
        if (changes.restart) store.update_restart(row.id, *changes.restart);
    });
    impl_->record(row, "update");
    impl_->refresh(row);
}

int Containers::wait(const std::string& reference, std::stop_token cancel) {
    const auto id = engine::find_container(impl_->store(), reference).id;
    auto wake = sys::make_pipe();
    const std::stop_callback on_cancel(cancel, [&] { wake.write.reset(); });
    for (;;) {
        const auto row = impl_->store().container(id);
        if (!row) throw make_error(ErrorKind::not_found, "container {} was removed", short_id(id));
        if (cancel.stop_requested()) throw make_error("canceled").with_exit_code(130);
        auto client = Client::connect(impl_->layout, row->project);
        if (client) client->subscribe();
        // Looked at after the subscription began: what comes later is told.
        const auto now = impl_->store().container(id);
        if (!now) continue;
        const auto state = impl_->state_of(*now);
        if (!has_process(state)) return state == now->state ? now->exit_code : 255;
        while (client && !client->closed() && !cancel.stop_requested()) {
            std::array<sys::PollItem, 2> items{sys::PollItem{.fd = client->fd()}, sys::PollItem{.fd = wake.read}};
            sys::poll(items, std::nullopt);
            std::optional<int> code;
            bool removed = false;
            while (const auto change = client->next(std::chrono::milliseconds(0))) {
                if (change->id != id) continue;
                removed = removed || change->removed;
                if (!has_process(change->state)) code = change->exit_code;
            }
            if (code) return *code;
            if (removed) break;
        }
        if (!client) (void)sys::poll({}, std::chrono::milliseconds(20));  // its supervisor is being replaced
    }
}

std::unique_ptr<AttachSession> Containers::attach(const std::string& reference, bool input) {
    const auto row = engine::find_container(impl_->store(), reference);
    auto streams = impl_->running_client(row).attach(row.id, input);
    impl_->record(row, "attach");
    return std::make_unique<Streams>(std::move(streams));
}

std::unique_ptr<ExecSession> Containers::exec(const ExecOptions& options, int in, int out, int err) {
    const auto row = engine::find_container(impl_->store(), options.container_id);
    ExecOptions own = options;
    own.container_id = row.id;
    return engine::open_exec(impl_->layout, row.project, own, in, out, err);
}

ProcessTable Containers::top(const std::string& reference, const std::vector<std::string>& ps_options) {
    const auto columns = engine::ps_columns(ps_options);
    const auto row = engine::find_container(impl_->store(), reference);
    const auto state = impl_->state_of(row);
    if (state != store::ContainerState::running && state != store::ContainerState::paused)
        throw make_error(ErrorKind::conflict, "container {} is not running", row.name);
    const auto spec = runtime::spec_from_json(row.config.spec);
    return engine::list_processes(runtime::Cgroup(runtime::cgroup_root(), spec.cgroup_parent, row.id).processes(),
                                  columns);
}

std::optional<ContainerStats> Containers::stats(const std::string& reference) {
    const auto row = engine::find_container(impl_->store(), reference);
    const auto state = impl_->state_of(row);
    if (state != store::ContainerState::running && state != store::ContainerState::paused) return std::nullopt;
    return engine::read_stats(runtime::spec_from_json(row.config.spec), static_cast<pid_t>(row.pid));
}

// --- files ----------------------------------------------------------------------------------------------------------

void Containers::read_archive(const std::string& reference, const std::string& path, int out,
                              const CopyOptions& options) {
    const auto row = engine::find_container(impl_->store(), reference);
    const engine::ContainerRoot root(impl_->layout, row, true, impl_->options.command);
    engine::archive_out(root.get(), path, sys::FdRef(out), options);
    impl_->record(row, "archive-path");
}

void Containers::write_archive(const std::string& reference, const std::string& path, int in) {
    const auto row = engine::find_container(impl_->store(), reference);
    const engine::ContainerRoot root(impl_->layout, row, true, impl_->options.command);
    root.check_lasting(path);
    engine::archive_in(root.get(), path, sys::FdRef(in));
    impl_->record(row, "extract-to-dir");
}

void Containers::copy_from(const std::string& reference, const std::string& path, const std::string& host_path,
                           const CopyOptions& options) {
    const auto row = engine::find_container(impl_->store(), reference);
    const engine::ContainerRoot root(impl_->layout, row, true, impl_->options.command);
    engine::copy_out(root.get(), path, host_path, options);
    impl_->record(row, "archive-path");
}

void Containers::copy_to(const std::string& host_path, const std::string& reference, const std::string& path,
                         const CopyOptions& options) {
    const auto row = engine::find_container(impl_->store(), reference);
    const engine::ContainerRoot root(impl_->layout, row, true, impl_->options.command);
    root.check_lasting(path);
    engine::copy_in(host_path, root.get(), path, options);
    impl_->record(row, "extract-to-dir");
}

void Containers::export_root(const std::string& reference, int out) {
    const auto row = engine::find_container(impl_->store(), reference);
    const engine::ContainerRoot root(impl_->layout, row, false, impl_->options.command);
    image::FdSink sink{sys::FdRef(out)};
    image::pack_tree(root.get(), "/", sink, {.name = {}, .hard_links = true, .content_only = true});
    sink.flush();
    impl_->record(row, "export");
}

std::vector<FileChange> Containers::diff(const std::string& reference) {
    return engine::list_changes(engine::find_container(impl_->store(), reference));
}

std::string Containers::commit(const std::string& reference, const CommitOptions& options) {
    const auto row = engine::find_container(impl_->store(), reference);
    const bool pausing = options.pause && impl_->state_of(row) == store::ContainerState::running;
    if (pausing) impl_->running_client(row).pause(row.id);
    struct Thaw {
        Impl& impl;
        const store::Container& row;
        bool on;
        ~Thaw() {
            if (!on) return;
            try {
                impl.running_client(row).unpause(row.id);
            } catch (const Error&) {  // it has ended
            }
        }
    } thaw{*impl_, row, pausing};
    const auto id = engine::commit_image(impl_->store(), row, options);
    impl_->record(row, "commit", {{"imageID", id}});
    return id;
}

}  // namespace compose
