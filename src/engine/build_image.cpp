// A whole build: read, plan, run the stages that are needed, several at a time, and keep the result.
#include <algorithm>
#include <compose/build.hpp>
#include <exception>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "build/checks.hpp"
#include "build/remote.hpp"
#include "engine/build_output.hpp"
#include "engine/build_push.hpp"
#include "engine/build_remote_cache.hpp"
#include "engine/build_shared.hpp"
#include "engine/build_stage.hpp"
#include "engine/task_graph.hpp"
#include "image/layer.hpp"
#include "image/reference.hpp"
#include "runtime/launcher.hpp"
#include "sys/clock.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/tree.hpp"

namespace compose {
namespace engine {
namespace {

constexpr std::int64_t kCacheAge = std::int64_t{30} * 24 * 3600 * 1'000'000'000;
constexpr std::int64_t kCacheSize = std::int64_t{20} << 30U;

std::string host_platform() {
    return "linux/" + std::string(image::native_architecture());
}

build::Values platform_args(const BuildRequest& request) {
    const auto native = host_platform();
    if (!request.platform.empty() && request.platform != native && request.platform != "linux" &&
        !request.platform.starts_with(native + "/"))
        throw make_error(ErrorKind::unavailable, "{} can't be built here: this machine is {}", quote(request.platform),
                         native)
            .with_hint("leave --platform out");
    build::Values out;
    for (const std::string who : {"TARGET", "BUILD"}) {
        out[who + "PLATFORM"] = native;
        out[who + "OS"] = "linux";
        out[who + "ARCH"] = std::string(image::native_architecture());
        out[who + "VARIANT"] = "";
    }
    return out;
}

[[noreturn]] void fail_with(const Diagnostics& findings) {
    const auto all = findings.sorted();
    const auto first =
        std::find_if(all.begin(), all.end(), [](const auto& f) { return f.severity == Severity::error; });
    BuildFailure failure(first == all.end() ? "the Dockerfile has errors" : first->message, ErrorKind::invalid);
    if (first != all.end()) failure.with_hint(first->hint);
    throw failure;
}

build::BuildFile read_file(const BuildRequest& request, const BuildSources& sources, Diagnostics& findings) {
    const auto index = findings.sources.add(sources.dockerfile_name(), build::masked(sources.dockerfile_text()));
    auto file = build::parse_dockerfile(index, findings, sources.dockerfile_text());
    build::StageOptions options;
    options.build_args = request.args;
    options.platform_args = platform_args(request);
    options.contexts = sources.names();
    if (findings.has_errors()) fail_with(findings);
    auto planned = build::plan_stages(std::move(file), options, findings);
    if (findings.has_errors()) fail_with(findings);
    return planned;
}

std::size_t target_stage(const build::BuildFile& file, const std::string& target) {
    if (target.empty()) return file.stages.size() - 1;
    if (const auto found = file.find(target)) return *found;
    std::vector<std::string_view> names;
    for (const auto& stage : file.stages)
        if (!stage.name.empty()) names.push_back(stage.name);
    const auto near = nearest(target, names);
    throw make_error(ErrorKind::not_found, "target stage {} is not in the Dockerfile", quote(target))
        .with_hint(near.empty() ? std::string() : fmt::format("did you mean {}?", near));
}

/// The stages that are needed, lowest first, each as soon as all that it needs is there.
void run_stages(BuildShared& shared, const std::vector<std::size_t>& order, std::stop_source& stop) {
    std::vector<std::vector<std::size_t>> needs(order.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        for (const auto need : shared.file.stages[order[i]].needs)
            needs[i].push_back(static_cast<std::size_t>(std::find(order.begin(), order.end(), need) - order.begin()));
    run_tasks(needs, shared.request.parallel, stop, [&](std::size_t i) {
        auto built = StageBuilder(shared, shared.file.stages[order[i]]).run();
        const std::lock_guard held(shared.mutex);
        shared.stages[order[i]] = std::move(built);
    });
}

std::vector<image::Reference> checked_tags(const BuildRequest& request) {
    std::vector<image::Reference> out;
    if (request.push && request.tags.empty())
        throw Error("what is pushed needs a name", ErrorKind::usage).with_hint("add --tag REGISTRY/NAME:TAG");
    for (const auto& tag : request.tags) {
        auto reference = image::parse_reference(tag);
        if (!reference.digest.empty())
            throw make_error(ErrorKind::invalid, "{}: an image is built under a tag, not a digest", quote(tag));
        out.push_back(std::move(reference));
    }
    return out;
}

/// Before anything is built: a step may be hours away.
void check_agents(const BuildRequest& request) {
    for (const auto& [id, path] : request.ssh) {
        const auto slash = path.rfind('/');
        const auto folder = slash == std::string::npos ? std::string(".") : path.substr(0, slash + 1);
        const auto info = sys::is_directory(folder)
                              ? sys::inspect_at(sys::open_directory(folder), path.substr(slash + 1))
                              : std::nullopt;
        if (!info || (info->kind != sys::FileKind::socket && info->kind != sys::FileKind::symlink))
            throw make_error(ErrorKind::invalid, "ssh {}: {} is no socket of an SSH agent", id, quote(path))
                .with_hint("keys in files are not read: ssh-add them, and give the agent");
    }
}

std::string keep_image(store::Store& store, BuiltLayers& built, const BuildRequest& request,
                       const std::vector<image::Reference>& tags) {
    for (const auto& [key, value] : request.labels) built.config.labels[key] = value;
    store::Image row;
    row.config = image::render_config(built.config);
    row.id = image::config_digest(row.config);
    row.layers = built.chain;
    row.size = built.size;
    row.created_at = sys::wall_now().time_since_epoch().count();
    const auto known = store.image(row.id);
    if (known) row.created_at = known->created_at;
    bool tagged = known.has_value();
    for (const auto& tag : tags) {
        const auto holder = store.image_by_reference(tag.to_string());
        tagged = tagged && holder && holder->id == row.id;
    }
    if (tagged) return row.id;  // nothing to write: the common case of a build with nothing changed
    store.transaction([&] {
        store.put_image(row);
        for (const auto& tag : tags) store.tag_image(tag.to_string(), row.id);
    });
    store.sync();
    return row.id;
}

/// Images that carry the cache: in the store only for as long as it takes to send them.
void push_caches(BuildShared& shared, store::Store& store, BuiltLayers built,
                 const std::vector<image::Reference>& names) {
    built.config.labels[kCacheLabel] = render_cache(built);
    const bool fresh = !store.image(image::config_digest(image::render_config(built.config)));
    for (const auto& name : names) {
        const auto before = store.image_by_reference(name.to_string());
        const auto id = keep_image(store, built, shared.request, {name});
        std::exception_ptr failure;
        try {
            const auto digest = push_tags(shared, {name});
            store.delete_image_digest(name.registry + "/" + name.repository, digest);
        } catch (const Error&) {
            failure = std::current_exception();
        }
        store.untag_image(name.to_string());
        if (before) store.tag_image(name.to_string(), before->id);
        if (fresh) store.delete_image(id);
        if (failure) std::rethrow_exception(failure);
    }
}

void note_use(BuildShared& shared) {
    store::BuildCache cache(shared.layout);
    const auto now = sys::wall_now().time_since_epoch().count();
    // Once a day is exact enough for what is thrown away after weeks.
    std::vector<std::string> old;
    for (const auto& key : shared.used_keys) {
        const auto row = cache.find(key);
        if (row && now - row->used_at > std::int64_t{24} * 3600 * 1'000'000'000) old.push_back(key);
    }
    if (!old.empty()) cache.touch(old, now);
    cache.trim(now - kCacheAge, kCacheSize);
}

}  // namespace
}  // namespace engine

BuildResult build_image(const EngineOptions& options, const BuildRequest& request, Diagnostics& findings,
                        BuildSink& sink, std::stop_token cancel) {
    using namespace engine;
    const auto layout = store::Layout::from(options.state_dir, options.run_dir);
    layout.prepare();
    const auto tags = checked_tags(request);
    check_agents(request);
    store::Store store(layout);
    const image::LayerLease lease(layout.layers());
    BuildWorkspace workspace(store);
    BuildNetwork network(layout, workspace);
    std::stop_source stop;
    const std::stop_callback on_cancel(cancel, [&] { stop.request_stop(); });
    BuildSources sources(request, workspace, layout, stop.get_token());
    BuildShared shared(request, layout, workspace, sources, network, sink, findings, stop.get_token());
    shared.file = read_file(request, sources, findings);
    shared.installation = store.installation_id();
    shared.host = HostFacts::read();
    if (build_resolv_conf(shared.host.resolv_conf).find("nameserver ") == std::string::npos)
        // A resolver on the host's loopback can't be reached from elsewhere; this is where it has its answers from.
        if (const auto real = sys::read_file_if_exists("/run/systemd/resolve/resolv.conf"))
            shared.host.resolv_conf = *real;
    runtime::prepare_launcher();
    const auto caches = cache_targets(shared);
    import_caches(shared, store);
    const auto target = target_stage(shared.file, request.target);
    run_stages(shared, build::needed_stages(shared.file, target), stop);

    BuildResult result;
    auto& built = shared.stages.at(target);
    const bool wanted =
        request.push || request.outputs.empty() ||
        std::any_of(request.outputs.begin(), request.outputs.end(), [](const auto& o) { return o.type == "image"; });
    if (caches.in_image) built.config.labels[kCacheLabel] = render_cache(built);
    if (wanted) {
        result.image_id = keep_image(store, built, request, tags);
        for (const auto& tag : tags) result.names.push_back(tag.familiar());
    } else {
        for (const auto& [key, value] : request.labels) built.config.labels[key] = value;
    }
    for (const auto& output : request.outputs) write_output(shared, built, output);
    for (const auto& [name, value] : request.args)
        if (!shared.used_args.contains(name) && !build::is_proxy_arg(name) && name != "BUILDKIT_CONTEXT_KEEP_GIT_DIR" &&
            !build::is_declared(shared.file, name))
            result.unused_args.push_back(name);
    note_use(shared);
    if (request.push) result.pushed_digest = push_tags(shared, tags);
    if (!caches.names.empty()) push_caches(shared, store, built, caches.names);
    return result;
}

void check_build(const EngineOptions& options, const BuildRequest& request, Diagnostics& findings) {
    using namespace engine;
    const auto layout = store::Layout::from(options.state_dir, options.run_dir);
    layout.prepare();
    store::Store store(layout);
    BuildWorkspace workspace(store);
    const BuildSources sources(request, workspace, layout, {});
    const auto index = findings.sources.add(sources.dockerfile_name(), build::masked(sources.dockerfile_text()));
    auto file = build::parse_dockerfile(index, findings, sources.dockerfile_text());
    const auto instructions = file.instructions;
    build::StageOptions stages;
    stages.build_args = request.args;
    stages.platform_args = platform_args(request);
    stages.contexts = sources.names();
    const auto planned = build::plan_stages(std::move(file), stages, findings);
    build::lint(planned, instructions, sources.context().ignore(), findings);
}

}  // namespace compose
