// compose/watch.hpp: one inotify instance for all rules; changes are collected until it is quiet for a moment, then
// each rule does with its own what its action says.
#include <algorithm>
#include <array>
#include <compose/containers.hpp>
#include <compose/watch.hpp>
#include <map>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "engine/container_details.hpp"
#include "engine/container_root.hpp"
#include "engine/copy_files.hpp"
#include "engine/silent_sink.hpp"
#include "engine/watch_rules.hpp"
#include "sys/poll.hpp"
#include "sys/tree_watch.hpp"

namespace compose {

namespace {

constexpr std::chrono::milliseconds kQuiet{100};
constexpr std::chrono::milliseconds kLongest{1000};  // a stream of changes is acted on now and then
using Action = WatchRule::Action;

bool syncs(Action action) {
    return action == Action::sync || action == Action::sync_restart || action == Action::sync_exec;
}

}  // namespace

bool has_watch_rules(const Project& project, const std::vector<std::string>& services) {
    return std::any_of(project.services.begin(), project.services.end(), [&](const auto& entry) {
        const bool named =
            services.empty() || std::find(services.begin(), services.end(), entry.first) != services.end();
        return named && !entry.second.watch.empty();
    });
}

struct Watcher::Impl {
    EngineOptions options;
    std::string project;
    WatchHooks hooks;
    engine::SilentSink silent;
    std::vector<engine::WatchedRule> rules;
    std::optional<sys::TreeWatcher> files;
    std::set<std::string> known;  // what there was when it was looked at last

    [[nodiscard]] bool skips(const std::string& directory) const {
        return std::all_of(rules.begin(), rules.end(), [&](const auto& rule) { return rule.skips(directory); });
    }

    void open() {
        files.emplace([this](const std::string& directory) { return skips(directory); });
        for (const auto& rule : rules) files->add(rule.rule().path);
        known = everything();
    }

    [[nodiscard]] std::set<std::string> everything() const {
        std::set<std::string> out;
        for (const auto& rule : rules)
            sys::list_tree(
                rule.rule().path, [this](const std::string& path) { return skips(path); }, out);
        return out;
    }

    void initial_sync() {
        for (const auto& rule : rules) {
            if (!rule.rule().initial_sync || !syncs(rule.rule().action)) continue;
            std::set<std::string> all;
            for (const auto& path : known)
                if (const auto relative = rule.relative(path)) all.insert(*relative);
            if (!all.empty()) sync(rule, all);
        }
    }

    /// Until nothing has happened for a moment.
    std::set<std::string> collect(const std::stop_token& stop, sys::FdRef wake) {
        std::set<std::string> paths;
        bool lost = false;
        const auto begin = std::chrono::steady_clock::now();
        while (!stop.stop_requested()) {
            std::array<sys::PollItem, 2> items{sys::PollItem{.fd = files->fd()}, sys::PollItem{.fd = wake}};
            const bool waiting = paths.empty() && !lost;
            if (!sys::poll(items, waiting ? std::nullopt : std::optional(kQuiet))) break;
            if (!items[0].readable) break;
            auto changes = files->take();
            paths.merge(changes.paths);
            lost = lost || changes.lost;
            if (!waiting && std::chrono::steady_clock::now() - begin > kLongest) break;
        }
        if (lost) {
            // Everything may have changed: what is there, and what was there.
            for (const auto& rule : rules) files->add(rule.rule().path);
            auto now = everything();
            paths.insert(known.begin(), known.end());
            known = std::move(now);
            paths.insert(known.begin(), known.end());
        } else {
            known.insert(paths.begin(), paths.end());
        }
        return paths;
    }

    void act(const std::set<std::string>& paths) {
        std::set<std::string> rebuilds, restarts;
        std::vector<std::pair<const engine::WatchedRule*, std::set<std::string>>> work;
        for (const auto& rule : rules) {
            std::set<std::string> own;
            for (const auto& path : paths)
                if (const auto relative = rule.relative(path)) own.insert(*relative);
            if (!own.empty()) work.emplace_back(&rule, std::move(own));
        }
        for (const auto& [rule, own] : work)
            if (rule->rule().action == Action::rebuild) rebuilds.insert(rule->service());
        for (const auto& [rule, own] : work) {
            // A new container has everything in it.
            if (rebuilds.contains(rule->service())) continue;
            const auto action = rule->rule().action;
            if (syncs(action)) sync(*rule, own);
            if (action == Action::restart || action == Action::sync_restart) restarts.insert(rule->service());
            if (action == Action::sync_exec) run_hook(*rule);
        }
        for (const auto& service : restarts) restart(service);
        if (!rebuilds.empty()) rebuild(rebuilds);
    }

    void attempt(const std::string& what, const std::function<void()>& body) const {
        try {
            body();
        } catch (const Error& error) {
            hooks.say(what + ": " + error.what());
        }
    }

    [[nodiscard]] std::vector<ContainerView> replicas(const std::string& service) {
        auto views = Containers(options, silent).list(project);
        std::erase_if(views, [&](const ContainerView& view) {
            return view.service != service || view.oneoff || view.state != "running";
        });
        return views;
    }

    void sync(const engine::WatchedRule& rule, const std::set<std::string>& relative) {
        hooks.say(
            fmt::format("Syncing service {} after {} changes were detected", quote(rule.service()), relative.size()));
        const auto layout = store::Layout::from(options.state_dir, options.run_dir);
        for (const auto& view : replicas(rule.service()))
            attempt("sync " + view.name, [&] {
                store::Store store(layout);
                const auto row = engine::find_container(store, view.id);
                const engine::ContainerRoot root(layout, row, true, options.command);
                engine::mirror(rule.rule().path, {relative.begin(), relative.end()}, root.get(), rule.rule().target);
            });
    }

    void run_hook(const engine::WatchedRule& rule) {
        const auto& hook = rule.rule().exec;
        if (hook.command.empty()) return;
        for (const auto& view : replicas(rule.service()))
            attempt("exec in " + view.name, [&] {
                ExecOptions exec;
                exec.container_id = view.id;
                exec.command = hook.command;
                exec.user = hook.user;
                exec.working_dir = hook.working_dir;
                exec.privileged = hook.privileged;
                for (const auto& [name, value] : hook.environment)
                    if (value) exec.environment.push_back(name + "=" + *value);
                const auto null = sys::open_null();
                Containers containers(options, silent);
                const int code = containers.exec(exec, null.get(), null.get(), null.get())->wait();
                if (code != 0)
                    hooks.say(fmt::format("{}: {} exited with {}", view.name, join(exec.command, " "), code));
            });
    }

    void restart(const std::string& service) {
        for (const auto& view : replicas(service))
            attempt("restart " + view.name, [&] { Containers(options, silent).restart(view.id, std::nullopt); });
        hooks.say(fmt::format("service(s) [{}] restarted", quote(service)));
    }

    void rebuild(const std::set<std::string>& services) {
        std::vector<std::string> names;
        for (const auto& name : services) names.push_back(quote(name));
        hooks.say(fmt::format("Rebuilding service(s) [{}] after changes were detected...", join(names, " ")));
        attempt("rebuild", [&] {
            hooks.rebuild(services);
            hooks.say(fmt::format("service(s) [{}] successfully built", join(names, " ")));
        });
    }
};

Watcher::Watcher(EngineOptions options, const Project& project, const std::vector<std::string>& services,
                 WatchHooks hooks)
    : impl_(std::make_unique<Impl>()) {
    if (!has_watch_rules(project, services))
        throw make_error(ErrorKind::not_found, "none of the selected services is configured for watch")
            .with_hint("a 'develop: watch' section in the file says what to follow");
    impl_->options = std::move(options);
    impl_->project = project.name;
    impl_->hooks = std::move(hooks);
    for (const auto& [name, service] : project.services) {
        if (!services.empty() && std::find(services.begin(), services.end(), name) == services.end()) continue;
        for (const WatchRule& rule : service.watch) {
            if (!engine::is_mounted(service, rule))
                impl_->rules.emplace_back(service, rule);
            else
                impl_->hooks.say(
                    fmt::format("path {} is a bind mount of {} too: it is not watched", quote(rule.path), name));
        }
    }
    impl_->open();
}

Watcher::~Watcher() = default;

void Watcher::run(const std::stop_token& stop) {
    auto wake = sys::make_pipe();
    const std::stop_callback on_stop(stop, [&] { wake.write.reset(); });
    impl_->initial_sync();
    impl_->hooks.say("Watch enabled");
    while (!stop.stop_requested()) {
        const auto paths = impl_->collect(stop, wake.read);
        if (!paths.empty() && !stop.stop_requested()) impl_->act(paths);
    }
}

}  // namespace compose
