// The wiring: lock, look, plan, check, do. What is decided is decided in src/plan; what is done, in actions_*.
#include <algorithm>
#include <compose/engine.hpp>
#include <compose/objects.hpp>
#include <compose/plan.hpp>
#include <set>

#include "base/error.hpp"
#include "engine/action_context.hpp"
#include "engine/change_text.hpp"
#include "engine/container_view.hpp"
#include "engine/default_bridge.hpp"
#include "engine/exec_session.hpp"
#include "engine/execute.hpp"
#include "engine/external_networks.hpp"
#include "engine/file_grants.hpp"
#include "engine/firewall_sync.hpp"
#include "engine/image_catalog.hpp"
#include "engine/image_events.hpp"
#include "engine/image_list.hpp"
#include "engine/image_store.hpp"
#include "engine/observe.hpp"
#include "engine/preflight.hpp"
#include "engine/prepare_images.hpp"
#include "engine/providers.hpp"
#include "engine/run_folder.hpp"
#include "store/store.hpp"
#include "sys/file.hpp"

namespace compose {

using engine::ActionContext;
using engine::ExecuteOptions;

namespace {

constexpr std::chrono::seconds kLockTimeout{120};

bool is_alive(store::ContainerState state) {
    return state == store::ContainerState::running || state == store::ContainerState::paused;
}

}  // namespace

struct Engine::Impl {
    EngineOptions options;
    EventSink& events;
    store::Layout layout;

    [[nodiscard]] store::Store open() const {
        layout.prepare();
        return store::Store(layout);
    }
    [[nodiscard]] store::ProjectLock lock(const std::string& project) const {
        layout.prepare();
        return {layout, project, options.command, std::chrono::duration_cast<std::chrono::milliseconds>(kLockTimeout)};
    }
    bool run(const Plan& plan, ActionContext& context, std::stop_token cancel, bool keep_going = false,
             std::optional<std::chrono::seconds> wait_timeout = {}) const {
        // What is only told comes in one order.
        const int parallel = context.dry_run ? 1 : options.parallel;
        return execute(plan, context, {parallel, keep_going, wait_timeout, std::move(cancel)});
    }

    /// What `up` would find and do, without doing it.
    struct Trial {
        Project project;
        ObservedState observed;
        std::vector<ImageAction> images;
        Plan plan;
    };
    [[nodiscard]] Trial try_up(const Project& written, const UpOptions& wishes) const {
        Trial out;
        store::Store store = open();
        out.project =
            engine::with_external_networks(engine::with_default_bridge(engine::with_contents_hashed(written)), store);
        out.observed = engine::observe(store, out.project.name, &out.project);
        out.images = engine::needed_images(store, out.project, image_wishes(out.project, wishes));
        for (const auto& action : out.images) out.observed.expected_images.insert(action.image);
        out.plan = compose::plan_up(out.project, out.observed, wishes);
        check_programs(out.project, out.plan);
        return out;
    }

    /// What up would say beside what it does; in the course of a real one it says so itself.
    void tell_warnings(const Plan& plan, const UpOptions& wishes) const {
        if (!wishes.dry_run) return;
        for (const Event& note : plan.notes)
            if (note.status == Event::Status::warning) events.on_event(note);
    }

    static void check_programs(const Project& project, const Plan& plan) {
        std::vector<Diagnostic> findings;
        engine::check_programs(project, plan, findings);
        if (!findings.empty()) throw ProjectError(std::move(findings), ErrorKind::not_found);
    }

    /// Containers that exist, under the project's lock: start, stop, restart.
    template <class Planner>
    void operate(const std::string& project, std::stop_token cancel, const Planner& planner,
                 std::optional<std::chrono::seconds> wait_timeout = {}, const Project* file = nullptr) const {
        std::optional<store::ProjectLock> held;
        if (!options.dry_run) held.emplace(lock(project));
        store::Store store = open();
        if (!options.dry_run) engine::repair_liveness(store, project);
        const Plan plan = planner(engine::observe(store, project, nullptr));
        ActionContext context(layout, project, file, events);
        context.dry_run = options.dry_run;
        (void)run(plan, context, std::move(cancel), false, wait_timeout);
    }

    [[nodiscard]] engine::PrepareOptions image_wishes(const Project& project, const UpOptions& up) const {
        engine::PrepareOptions wishes;
        wishes.services = up.no_deps && !up.services.empty() ? up.services : with_dependencies(project, up.services);
        wishes.policy = {.pull = up.pull, .build = up.build, .no_build = up.no_build};
        wishes.quiet = up.quiet_pull;
        wishes.quiet_build = up.quiet_build;
        wishes.parallel = up.dry_run ? 1 : options.parallel;
        wishes.dry_run = up.dry_run;
        return wishes;
    }

    /// --rmi: of the containers that go, and of the services in the file.
    static std::set<std::string> images_to_remove(store::Store& store, const std::string& name, const Project* project,
                                                  const DownOptions& options) {
        std::set<std::string> result;
        if (options.images.empty()) return result;
        const auto add = [&](const std::string& service, const std::string& image) {
            const auto& only = options.services;
            if (!only.empty() && std::find(only.begin(), only.end(), service) == only.end()) return;
            const std::string own = name + "-" + service;
            if (options.images == "all" || image == own || image == own + ":latest") result.insert(image);
        };
        for (const store::Container& row : store.containers_without_spec(name)) add(row.service, row.config.image);
        if (project != nullptr)
            for (const auto& [key, service] : project->services) add(key, service.image);
        result.erase("");
        return result;
    }

    void remove_images(store::Store& store, const std::set<std::string>& images, bool dry_run) const {
        for (const std::string& image : images) {
            const std::string id = "Image " + image;
            events.on_event({Event::Status::working, id, "Removing", {}, 0, 0});
            try {
                if (dry_run)
                    (void)engine::require_image(store, image);
                else
                    engine::tell_removed_images(store.layout(), engine::remove_image(store, image, false));
                events.on_event({Event::Status::done, id, "Removed", {}, 0, 0});
            } catch (const Error& error) {
                const bool gone = error.kind() == ErrorKind::not_found;
                events.on_event({Event::Status::warning,
                                 id,
                                 gone ? "No resource found to remove" : "Resource is still in use",
                                 {},
                                 0,
                                 0});
            }
        }
    }

    /// A rolling update that failed is undone where the file says so; what else goes wrong then is only told.
    void roll_back(const Plan& failed, const Project& project, ActionContext& context, store::Store& store) const {
        const Plan plan = plan_rollback(project, failed, engine::observe(store, project.name, &project));
        try {
            (void)run(plan, context, {}, true);
        } catch (const Error& error) {
            events.on_event({Event::Status::error, "Rollback", "Error", error.what(), 0, 0});
        }
    }

    /// Plans and does it. What providers say may make a plan void half-way; then what is there is looked at again. So
    /// many times at most as there are programs to be asked: each answers once.
    /// `images`: those that would be here in a dry run.
    void converge(const Project& project, const UpOptions& wishes, const std::set<std::string>& images,
                  ActionContext& context, store::Store& store, const std::stop_token& cancel) const {
        Project known = engine::with_external_networks(project, store);
        for (std::size_t round = 0; round <= project.services.size() + project.models.size(); ++round) {
            ObservedState observed = engine::observe(store, project.name, &project);
            if (wishes.dry_run) observed.expected_images = images;
            context.provided.note(observed, known);
            observed.fresh = context.started_ids();
            if (wishes.begun != 0)
                for (const store::Container& row : store.containers_without_spec(project.name))
                    if (row.started_at >= wishes.begun) observed.fresh.insert(row.id);
            const Plan plan = compose::plan_up(known, observed, wishes);
            check_programs(known, plan);
            if (observed.expected_images.empty()) engine::check_creations(known, plan, store);
            engine::check_network_places(known, plan, store);
            engine::check_host_ports(known, plan, observed);
            if (!wishes.dry_run) read_facts(plan, known, store, context);
            try {
                if (run(plan, context, cancel, false, wishes.wait_timeout)) return;
            } catch (const Error&) {
                if (!wishes.dry_run) roll_back(plan, project, context, store);
                throw;
            }
        }
        throw make_error("what providers say does not come to rest");
    }

    /// What containers are made from, read once.
    static void read_facts(const Plan& plan, const Project& project, store::Store& store, ActionContext& context) {
        engine::ImageCatalog catalog(store);
        bool any = false;
        for (const Plan::Node& node : plan.nodes) {
            const auto* create = std::get_if<CreateContainer>(&node.action);
            if (create == nullptr) continue;
            any = true;
            const Service& service = project.services.at(create->service);
            std::vector<std::string> references{service.image};
            for (const Mount& mount : service.mounts)
                if (mount.type == Mount::Type::image) references.push_back(mount.source);
            for (const std::string& reference : references) {
                if (context.images.contains(reference)) continue;
                const engine::ImageFacts* facts = catalog.find(reference);
                if (facts == nullptr) throw make_error(ErrorKind::not_found, "image \"{}\" is not here", reference);
                context.images.emplace(reference, *facts);
            }
        }
        if (any) context.host = engine::HostFacts::read();
    }
};

Engine::Engine(EngineOptions options, EventSink& events)
    : impl_(new Impl{options, events, store::Layout::from(options.state_dir, options.run_dir)}) {}

Engine::~Engine() = default;

Project Engine::up(const Project& written, const UpOptions& options, std::stop_token cancel) {
    const Project project = engine::with_default_bridge(engine::with_contents_hashed(written));
    if (!options.dry_run && engine::uses_default_bridge(written)) Networks(impl_->options).ensure_bridge();
    std::set<std::string> images;
    {
        // Before the lock: a long pull is no reason to keep others from looking after what runs.
        store::Store store = impl_->open();
        images = engine::prepare_images(store, impl_->events, project, impl_->image_wishes(project, options), cancel);
    }
    std::optional<store::ProjectLock> held;
    if (!options.dry_run) held.emplace(impl_->lock(project.name));
    store::Store store = impl_->open();
    if (!options.dry_run) {
        engine::repair_liveness(store, project.name);
        engine::repair_firewall(store);
    }
    ActionContext context(impl_->layout, project.name, &project, impl_->events);
    context.dry_run = options.dry_run;
    impl_->converge(project, options, images, context, store, cancel);
    return context.provided.settled(written);
}

void Engine::prepare(const Project& project, const UpOptions& options, std::stop_token cancel) {
    store::Store store = impl_->open();
    (void)engine::prepare_images(store, impl_->events, project, impl_->image_wishes(project, options), cancel);
}

std::vector<std::string> Engine::changed_volumes(const Project& project, const UpOptions& options) {
    std::vector<std::string> changed;
    if (options.no_recreate) return changed;
    store::Store store = impl_->open();
    const ObservedState observed = engine::observe(store, project.name, &project);
    std::set<std::string> used;  // keys
    for (const std::string& name : with_dependencies(project, options.services))
        for (const Mount& mount : project.services.at(name).mounts)
            if (mount.type == Mount::Type::volume) used.insert(mount.source);
    for (const auto& [key, volume] : project.volumes) {
        const auto there = observed.volumes.find(volume.name);
        if (volume.external || !used.contains(key) || there == observed.volumes.end()) continue;
        if (there->second.project == project.name && there->second.config_hash != volume.config_hash)
            changed.push_back(volume.name);
    }
    return changed;
}

std::vector<std::string> Engine::plan_up(const Project& project, const UpOptions& wishes) {
    const auto trial = impl_->try_up(project, wishes);
    impl_->tell_warnings(trial.plan, wishes);
    std::vector<std::string> lines;
    for (const auto& action : trial.images) lines.push_back(to_string(action));
    store::Store store = impl_->open();
    if (trial.images.empty()) engine::check_creations(trial.project, trial.plan, store);
    engine::check_network_places(trial.project, trial.plan, store);
    engine::check_host_ports(trial.project, trial.plan, trial.observed);
    for (auto& line : to_text(trial.plan)) lines.push_back(std::move(line));
    return lines;
}

std::vector<PlannedChange> Engine::plan_changes(const Project& project, const UpOptions& wishes) {
    const auto trial = impl_->try_up(project, wishes);
    impl_->tell_warnings(trial.plan, wishes);
    store::Store store = impl_->open();
    engine::check_network_places(trial.project, trial.plan, store);
    std::vector<PlannedChange> changes;
    for (const auto& action : trial.images)
        changes.push_back({PlannedChange::Kind::fetch, "Image " + action.image, action.cause, {}});
    for (auto& change : engine::describe_plan(trial.plan, trial.project, trial.observed, store))
        changes.push_back(std::move(change));
    return changes;
}

void Engine::down(const std::string& name, const Project* project, const DownOptions& options, std::stop_token cancel) {
    std::optional<store::ProjectLock> held;
    if (!options.dry_run) held.emplace(impl_->lock(name));
    store::Store store = impl_->open();
    if (!options.dry_run) engine::repair_liveness(store, name);
    const std::set<std::string> images = Impl::images_to_remove(store, name, project, options);
    const ObservedState observed = engine::observe(store, name, project);
    const bool on_bridge =
        std::any_of(observed.containers.begin(), observed.containers.end(),
                    [](const ObservedContainer& container) { return container.networks.contains(kBridgeNetwork); });
    const Plan plan = compose::plan_down(project, observed, options);
    ActionContext context(impl_->layout, name, project, impl_->events);
    context.dry_run = options.dry_run;
    (void)impl_->run(plan, context, std::move(cancel), true);
    if (on_bridge && !options.dry_run) (void)Networks(impl_->options).release_bridge();
    impl_->remove_images(store, images, options.dry_run);
    if (!options.dry_run && options.services.empty()) engine::remove_run_folder(store, name);
}

void Engine::start(const std::string& project, const std::vector<std::string>& services, std::stop_token cancel,
                   const Project* file) {
    impl_->operate(project, std::move(cancel),
                   [&](const ObservedState& observed) { return plan_start(observed, services, false, file); });
}

void Engine::start_and_wait(const std::string& project, const std::vector<std::string>& services,
                            std::optional<std::chrono::seconds> timeout, std::stop_token cancel, const Project* file) {
    impl_->operate(
        project, std::move(cancel),
        [&](const ObservedState& observed) { return plan_start(observed, services, true, file); }, timeout);
}

void Engine::stop(const std::string& project, const std::vector<std::string>& services,
                  std::optional<Nanoseconds> timeout, std::stop_token cancel, const Project* file) {
    impl_->operate(
        project, std::move(cancel),
        [&](const ObservedState& observed) { return plan_stop(observed, services, timeout, file); }, {}, file);
}

void Engine::restart(const std::string& project, const std::vector<std::string>& services,
                     std::optional<Nanoseconds> timeout, bool no_deps, std::stop_token cancel) {
    impl_->operate(project, std::move(cancel),
                   [&](const ObservedState& observed) { return plan_restart(observed, services, timeout, no_deps); });
}

void Engine::kill(const std::string& project, const std::vector<std::string>& services, int signal) {
    store::Store store = impl_->open();
    const engine::Liveness liveness(impl_->layout, project);
    auto client = supervisor::Client::connect(impl_->layout, project);
    for (const store::Container& container : store.containers_without_spec(project)) {
        const bool named =
            services.empty() || std::find(services.begin(), services.end(), container.service) != services.end();
        if (!named || !client || !is_alive(liveness.state_of(container))) continue;
        const std::string id = "Container " + container.name;
        impl_->events.on_event({Event::Status::working, id, "Killing", {}, 0, 0});
        if (!impl_->options.dry_run) client->kill(container.id, signal);
        impl_->events.on_event({Event::Status::done, id, "Killed", {}, 0, 0});
    }
}

std::vector<ContainerView> Engine::containers(const std::string& project) {
    store::Store store = impl_->open();
    return engine::container_views(store, project);
}

std::unique_ptr<ExecSession> Engine::exec(const std::string& project, const ExecOptions& options, int in, int out,
                                          int err) {
    return engine::open_exec(impl_->layout, project, options, in, out, err);
}

bool Engine::is_at_work(const std::string& project) {
    return sys::FileLock::held(impl_->layout.project_lock(project));
}

std::unique_ptr<Subscription> Engine::subscribe(const std::string& project) {
    return engine::open_subscription(impl_->layout, project);
}

std::string Engine::import_image(int fd, const std::string& reference, const std::vector<std::string>& changes,
                                 const std::string& message) {
    store::Store store = impl_->open();
    auto id = engine::import_image(store, impl_->events, fd, reference, changes, message);
    engine::tell_image(store.layout(), "import", id, reference);
    return id;
}

std::vector<ImageView> Engine::images() {
    store::Store store = impl_->open();
    return engine::list_images(store);
}

std::vector<std::string> Engine::remove_image(const std::string& reference, bool force) {
    store::Store store = impl_->open();
    auto lines = engine::remove_image(store, reference, force);
    engine::tell_removed_images(store.layout(), lines);
    return lines;
}

}  // namespace compose
