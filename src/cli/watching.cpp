#include "cli/watching.hpp"

#include "base/error.hpp"
#include "base/json.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"

namespace compose::cli {

namespace {

std::map<std::string, std::string> image_ids(Engine& engine, const Project& project,
                                             const std::set<std::string>& services) {
    std::map<std::string, std::string> out;
    for (const auto& view : engine.images())
        for (const auto& name : services) {
            const auto service = project.services.find(name);
            if (service == project.services.end()) continue;
            const auto& image = service->second.image;
            if (image == view.repository || image == view.repository + ":" + view.tag) out[name] = view.id;
        }
    return out;
}

void rebuild(Context& context, const Project& project, const std::set<std::string>& services, bool prune) {
    const auto events = make_progress({.mode = ProgressMode::quiet});
    const auto engine = context.make_engine(*events);
    const auto before = prune ? image_ids(*engine, project, services) : std::map<std::string, std::string>{};
    UpOptions options;
    options.services = {services.begin(), services.end()};
    options.no_deps = true;  // dependencies are not built because of it
    options.build = true;
    options.quiet_build = true;
    options.ignore_orphans = true;
    engine->up(project, options);
    if (!prune) return;
    const auto now = image_ids(*engine, project, services);
    for (const auto& [name, id] : before) {
        const auto found = now.find(name);
        if (found == now.end() || found->second == id) continue;
        try {
            (void)engine->remove_image(id, false);
        } catch (const Error&) {  // something else has a use for it
        }
    }
}

}  // namespace

WatchHooks watch_hooks(Context& context, const Project& project, bool quiet, bool prune) {
    WatchHooks hooks;
    hooks.say = [&context, quiet](const std::string& text) {
        if (quiet) return;
        if (context.progress_mode == ProgressMode::json)
            print_error(json::serialize(json::object{{"text", text}}) + "\n");
        else
            print_error(text + "\n");
    };
    hooks.rebuild = [&context, &project, prune](const std::set<std::string>& services) {
        rebuild(context, project, services, prune);
    };
    return hooks;
}

WatchThread::WatchThread(Context& context, const Project& project, const std::vector<std::string>& services) {
    auto watcher = std::make_shared<Watcher>(context.engine_options(), project, services,
                                             watch_hooks(context, project, false, true));
    thread_ = std::jthread([watcher](const std::stop_token& stop) {
        try {
            watcher->run(stop);
        } catch (const Error& error) {
            print_error(std::string("watch: ") + error.what() + "\n");
        }
    });
}

}  // namespace compose::cli
