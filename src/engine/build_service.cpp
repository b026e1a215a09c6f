#include "engine/build_service.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "engine/layout_context.hpp"
#include "engine/task_graph.hpp"
#include "sys/env.hpp"
#include "sys/file.hpp"

namespace compose::engine {
namespace {

constexpr std::string_view kServiceScheme = "service:";

BuildSecret secret_of(const Project& project, const FileGrant& grant) {
    const auto& source = project.secrets.at(grant.source);
    BuildSecret out;
    out.id = grant.target.empty() ? grant.source : grant.target;
    if (!source.file.empty()) {
        out.file = source.file;
    } else if (source.content) {
        out.value = *source.content;
    } else {
        throw make_error(ErrorKind::invalid, "secret {}: only files, content and variables can be given to a build",
                         quote(grant.source));
    }
    return out;
}

void put_ssh(const std::vector<std::string>& list, BuildRequest& request) {
    for (const auto& item : list) {
        const auto equals = item.find('=');
        const auto id = item.substr(0, equals);
        if (equals != std::string::npos && equals + 1 < item.size()) {
            request.ssh[id] = item.substr(equals + 1);
            continue;
        }
        const auto environment = sys::environment_snapshot();
        const auto agent = environment.find("SSH_AUTH_SOCK");
        if (agent == environment.end() || agent->second.empty())
            throw Error("invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set", ErrorKind::invalid);
        request.ssh[id] = agent->second;
    }
}

/// Progress of one image as the events of a plan: one row that says which step is at work.
class EventBuildSink final : public BuildSink {
public:
    EventBuildSink(EventSink& events, std::string id) : events_(events), id_(std::move(id)) {}
    void on_build_event(const BuildEvent& event) override {
        const std::lock_guard lock(mutex_);
        if (event.kind == BuildEvent::Kind::started)
            events_.on_event({Event::Status::working, id_, "Building", event.title, 0, 0});
        if (event.kind == BuildEvent::Kind::warning)
            events_.on_event({Event::Status::warning, id_, event.text, {}, 0, 0});
    }

private:
    EventSink& events_;
    std::string id_;
    std::mutex mutex_;
};

void visit(const Project& project, const std::string& name, std::vector<std::string>& path,
           std::vector<std::string>& out) {
    if (std::find(out.begin(), out.end(), name) != out.end()) return;
    if (std::find(path.begin(), path.end(), name) != path.end())
        throw make_error(ErrorKind::invalid, "the builds of {} need each other", join(path, ", "));
    const auto& service = project.services.at(name);
    if (!service.build) return;
    path.push_back(name);
    for (const auto& [context, where] : service.build->additional_contexts) {
        if (!where.starts_with(kServiceScheme)) continue;
        const auto other = where.substr(kServiceScheme.size());
        const auto found = project.services.find(other);
        if (found == project.services.end() || !found->second.build)
            throw make_error(ErrorKind::invalid,
                             "services.{}.build.additional_contexts.{}: {} is no service with a build", name, context,
                             quote(other));
        visit(project, other, path, out);
    }
    path.pop_back();
    out.push_back(name);
}

}  // namespace

BuildRequest build_request_of(const Project& project, const Service& service) {
    const auto& build = *service.build;
    BuildRequest out;
    out.name = service.name;
    out.context = build.context;
    out.dockerfile = build.dockerfile == "Dockerfile" ? std::string() : build.dockerfile;
    if (!build.dockerfile_inline.empty()) out.dockerfile_text = build.dockerfile_inline;
    out.tags = {service.image};
    for (const auto& tag : build.tags)
        if (std::find(out.tags.begin(), out.tags.end(), tag) == out.tags.end()) out.tags.push_back(tag);
    for (const auto& [name, value] : build.args)
        if (value) out.args[name] = *value;
    for (const auto& [name, where] : build.additional_contexts) {
        out.contexts[name] = where;
        if (where.starts_with(kLayoutScheme) && !where.substr(kLayoutScheme.size()).starts_with('/'))
            out.contexts[name] =
                fmt::format("{}{}/{}", kLayoutScheme, project.working_dir, where.substr(kLayoutScheme.size()));
        if (!where.starts_with(kServiceScheme)) continue;
        const auto found = project.services.find(where.substr(kServiceScheme.size()));
        if (found == project.services.end())
            throw make_error(ErrorKind::invalid, "services.{}.build.additional_contexts.{}: there is no such service",
                             service.name, name);
        out.contexts[name] = "docker-image://" + found->second.image;
    }
    out.labels = build.labels;
    out.labels["com.docker.compose.project"] = project.name;
    out.labels["com.docker.compose.service"] = service.name;
    out.target = build.target;
    if (!build.platforms.empty()) out.platform = build.platforms.front();
    out.no_cache = build.no_cache;
    out.no_cache_filter = build.no_cache_filter;
    out.pull = build.pull;
    out.cache_from = build.cache_from;
    out.cache_to = build.cache_to;
    for (const auto& grant : build.secrets) out.secrets.push_back(secret_of(project, grant));
    put_ssh(build.ssh, out);
    out.network = build.network;
    out.extra_hosts = build.extra_hosts;
    out.shm_size = build.shm_size;
    out.ulimits = build.ulimits;
    out.allow = build.entitlements;
    if (build.privileged) out.allow.emplace_back("security.insecure");
    return out;
}

ServiceBuilds plan_builds(const Project& project, const std::vector<std::string>& services) {
    ServiceBuilds out;
    std::vector<std::string> path;
    for (const auto& name : services) visit(project, name, path, out.services);
    const auto place = [&](const std::string& name) {
        return static_cast<std::size_t>(std::find(out.services.begin(), out.services.end(), name) -
                                        out.services.begin());
    };
    std::map<std::string, std::size_t> last;  // of those with the same Dockerfile
    for (std::size_t i = 0; i < out.services.size(); ++i) {
        const auto& build = *project.services.at(out.services[i]).build;
        auto& needs = out.needs.emplace_back();
        for (const auto& [context, where] : build.additional_contexts)
            if (where.starts_with(kServiceScheme)) needs.push_back(place(where.substr(kServiceScheme.size())));
        const auto file = build.context + "\n" + build.dockerfile + "\n" + build.dockerfile_inline;
        const auto [before, first] = last.emplace(file, i);
        if (!first) needs.push_back(std::exchange(before->second, i));
    }
    return out;
}

namespace {

void build_one(const store::Layout& layout, EventSink& events, const Project& project, const std::string& name,
               const std::stop_token& cancel) {
    const auto request = build_request_of(project, project.services.at(name));
    const auto id = "Image " + request.tags.front();
    EventBuildSink sink(events, id);
    Diagnostics findings;
    EngineOptions options;
    options.state_dir = layout.state;
    options.run_dir = layout.run;
    try {
        in_context([&] { return "build " + name; },
                   [&] { (void)build_image(options, request, findings, sink, cancel); });
    } catch (const BuildFailure& failure) {
        events.on_event({Event::Status::error, id, "Error", failure.what(), 0, 0});
        std::string text = fmt::format("build of service {} failed", name);
        for (const auto& finding : findings.sorted())
            if (finding.severity == Severity::error) text += "\n" + render(finding, findings.sources, false);
        if (!failure.output.empty()) text += "\n" + failure.output;
        throw Error(text, failure.kind());
    }
    events.on_event({Event::Status::done, id, "Built", {}, 0, 0});
}

}  // namespace

void build_service_images(const store::Layout& layout, EventSink& events, const Project& project,
                          const std::vector<std::string>& services, int parallel, const std::stop_token& cancel) {
    const auto builds = plan_builds(project, services);
    std::stop_source stop;
    const std::stop_callback on_cancel(cancel, [&] { stop.request_stop(); });
    run_tasks(builds.needs, parallel, stop,
              [&](std::size_t i) { build_one(layout, events, project, builds.services[i], stop.get_token()); });
}

void tell_service_builds(EventSink& events, const Project& project, const std::vector<std::string>& services) {
    for (const auto& name : plan_builds(project, services).services) {
        const auto id = "Image " + build_request_of(project, project.services.at(name)).tags.front();
        events.on_event({Event::Status::working, id, "Building", {}, 0, 0});
        events.on_event({Event::Status::done, id, "Built", {}, 0, 0});
    }
}

}  // namespace compose::engine
