#include "engine/build_stage.hpp"

#include <algorithm>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "build/paths.hpp"
#include "build/remote.hpp"
#include "engine/build_config.hpp"
#include "engine/build_mounts.hpp"
#include "image/copy_up.hpp"
#include "image/layer_diff.hpp"
#include "net/dns_server.hpp"
#include "sys/clock.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/overlay_view.hpp"
#include "sys/tree.hpp"

namespace compose::engine {
namespace {

using Kind = BuildEvent::Kind;

constexpr std::size_t kMaxTitle = 200;

std::int64_t now() {
    return sys::wall_now().time_since_epoch().count();
}

std::string time_text(std::int64_t nanoseconds) {
    return sys::rfc3339(sys::WallTime(std::chrono::nanoseconds(nanoseconds)));
}

/// A digest of texts that can't run into each other.
class Key {
public:
    explicit Key(std::string_view kind) { add(kind); }
    Key& add(std::string_view text) {
        const std::uint64_t size = text.size();
        hash_.update(&size, sizeof size);
        hash_.update(text.data(), text.size());
        return *this;
    }
    Key& add(const std::vector<std::string>& list) {
        add(std::to_string(list.size()));
        for (const auto& item : list) add(item);
        return *this;
    }
    [[nodiscard]] std::string hex() { return hash_.hex(); }

private:
    Sha256 hash_;
};

std::string one_line(std::string text) {
    text = build::redacted(text);
    for (auto& c : text)
        if (static_cast<unsigned char>(c) < ' ') c = ' ';
    if (text.size() > kMaxTitle) text = text.substr(0, kMaxTitle) + "...";
    return text;
}

bool makes_a_layer(const std::string& name) {
    return name == "RUN" || name == "COPY" || name == "ADD" || name == "WORKDIR";
}

}  // namespace

StageBuilder::StageBuilder(BuildShared& shared, const build::Stage& stage)
    : shared_(shared), stage_(stage), store_(shared.layout), cache_(shared.layout) {
    steps_ = 1;
    for (const auto& one : stage.instructions) steps_ += makes_a_layer(one.name) ? 1 : 0;
}

BuiltLayers StageBuilder::run() {
    SourcePos pos = stage_.base_pos.known() ? stage_.base_pos : stage_.pos;
    try {
        begin();
        const auto triggers = std::exchange(evaluator_->config().on_build, {});
        for (const auto& trigger : triggers) {
            Diagnostics findings;
            const auto one = build::parse_instruction(trigger, shared_.file.file.escape, pos, findings);
            build::check_instruction(one, shared_.file.file.escape, findings);
            if (findings.has_errors())
                throw make_error(ErrorKind::invalid, "ONBUILD {} of the base image: {}", trigger,
                                 findings.sorted().front().message);
            carry_out(one);
        }
        for (const auto& one : stage_.instructions) {
            pos = one.pos;
            if (shared_.cancel.stop_requested()) throw Error("the build was given up");
            carry_out(one);
        }
    } catch (const BuildFailure&) {
        throw;
    } catch (const Error& error) {
        fail(pos, error);
    }
    put_run_config(evaluator_->config(), built_.config);
    const std::lock_guard lock(shared_.mutex);
    for (const auto& [name, used] : evaluator_->used_args()) shared_.used_args[name] = used;
    return std::move(built_);
}

void StageBuilder::fail(SourcePos pos, const Error& error, const std::string& output) {
    if (current_.number != 0) tell(Kind::failed, current_, error.what());
    {
        const std::lock_guard lock(shared_.mutex);
        shared_.findings.error(pos, "", error.what(), error.hint());
    }
    BuildFailure failure(error.what(), error.kind());
    failure.with_hint(error.hint());
    failure.output = output;
    throw failure;
}

void StageBuilder::begin() {
    current_ = tell_started("FROM " + stage_.base);
    std::string platform = stage_.platform.empty() ? shared_.request.platform : stage_.platform;
    const auto* folder = shared_.sources.named_folder(stage_.base);
    if (stage_.base_stage) {
        const std::lock_guard lock(shared_.mutex);
        built_ = shared_.stages.at(*stage_.base_stage);
    } else if (stage_.base == "scratch" || folder != nullptr) {
        built_.config.os = "linux";
        built_.config.architecture = std::string(image::native_architecture());
        built_.config.created = time_text(0);
    } else if (const auto given = shared_.sources.named_image(stage_.base)) {
        built_ = shared_.image(store_, *given, platform);
    } else {
        built_ = shared_.image(store_, stage_.base, platform);
    }
    auto config = run_config_of(built_.config);
    if (config.env.empty() && !stage_.base_stage)
        config.env.emplace_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    evaluator_.emplace(shared_.file.file.escape, shared_.file.globals, shared_.request.args, std::move(config));
    if (folder != nullptr) {
        build::Step step;
        step.shown = stage_.from_text;
        step.created_by = "FROM " + stage_.base;
        build::CopyStep all;
        all.from = stage_.base;
        all.sources = {"/"};
        all.target = "/";
        step.what = all;
        perform(step);
        return;
    }
    tell(Kind::done, current_);
    current_ = {};
}

void StageBuilder::carry_out(const build::Instruction& one) {
    Diagnostics found;
    std::optional<build::Step> step;
    try {
        step = evaluator_->evaluate(one, found);
    } catch (const Error& error) {
        fail(one.pos, error);
    }
    {
        const std::lock_guard lock(shared_.mutex);
        for (const auto& finding : found.sorted()) {
            if (finding.severity == Severity::error)
                shared_.findings.error(finding.pos, finding.path, finding.message, finding.hint);
            else
                shared_.findings.warning(finding.pos, finding.path, finding.message, finding.hint);
        }
    }
    if (found.has_errors()) throw BuildFailure("the Dockerfile has errors", ErrorKind::invalid);
    perform(*step);
}

void StageBuilder::perform(const build::Step& step) {
    if (std::holds_alternative<build::ConfigStep>(step.what)) {
        const auto& before = built_.config.history;
        const auto created = before.empty() ? built_.config.created : before.back().created;
        built_.config.history.push_back({.created = created,
                                         .created_by = build::redacted(step.created_by),
                                         .comment = "compose",
                                         .empty_layer = true});
        return;
    }
    if (current_.number == 0) current_ = tell_started(step.shown);
    if (const auto* run = std::get_if<build::RunStep>(&step.what)) {
        cached(step, run_key(step, *run), [&] { return run_command(step, *run, current_); });
    } else if (const auto* copied = std::get_if<build::CopyStep>(&step.what)) {
        cached(step, copy_key(*copied), [&] { return copy(*copied); });
    } else {
        const auto& workdir = std::get<build::WorkdirStep>(step.what);
        const auto key = Key("workdir").add(built_.top()).add(workdir.path).add(workdir.user).hex();
        cached(step, key, [&] { return make_workdir(workdir); });
    }
    current_ = {};
}

bool StageBuilder::uses_cache() const {
    const auto& filter = shared_.request.no_cache_filter;
    const auto is_named = [&](const std::string& name) { return shared_.file.find(name) == stage_.index; };
    return !shared_.request.no_cache && std::none_of(filter.begin(), filter.end(), is_named);
}

template <class Make>
void StageBuilder::cached(const build::Step& step, const std::string& key, const Make& make) {
    if (uses_cache()) {
        const auto known = cache_.find(key);
        // The row may have outlived its layer, if somebody removed that by hand.
        if (known && (known->chain_id.empty() || sys::exists(shared_.layout.layer(known->chain_id)))) {
            add_layer(step, {known->chain_id, known->diff_id, known->size, known->created_at});
            tell(Kind::cached, current_);
            const std::lock_guard lock(shared_.mutex);
            shared_.used_keys.push_back(key);
            return;
        }
    }
    const Layer layer = make();
    store::CachedStep row;
    row.key = key;
    row.chain_id = layer.chain_id;
    row.diff_id = layer.diff_id;
    row.size = layer.size;
    row.description = one_line(step.shown);
    row.created_at = layer.created_at;
    row.used_at = now();
    cache_.put(row);
    add_layer(step, layer);
    tell(Kind::done, current_);
}

void StageBuilder::add_layer(const build::Step& step, const Layer& layer) {
    auto created = layer.created_at;
    if (const auto epoch = shared_.request.source_date_epoch) created = *epoch * 1'000'000'000;
    if (!layer.chain_id.empty()) {
        built_.chain.push_back(layer.chain_id);
        built_.config.diff_ids.push_back(layer.diff_id);
        built_.size += layer.size;
        if (store_.layer_size(layer.chain_id) < 0) store_.put_layer_size(layer.chain_id, layer.size);
    }
    add_history(step, created, layer.chain_id.empty());
}

void StageBuilder::add_history(const build::Step& step, std::int64_t created_at, bool empty) {
    built_.config.created = time_text(created_at);
    built_.config.history.push_back({.created = built_.config.created,
                                     .created_by = build::redacted(step.created_by),
                                     .comment = "compose",
                                     .empty_layer = empty});
}

// --- layers ---------------------------------------------------------------------------------------------------------

StageBuilder::Folders StageBuilder::new_folders() {
    Folders out;
    out.path = shared_.workspace.new_folder("step");
    out.upper = out.path + "/upper";
    out.work = out.path + "/work";
    sys::make_directory(out.upper, 0755);
    sys::make_directory(out.work, 0700);
    // The topmost layer's root is what the container sees of "/".
    const auto upper = sys::open_directory(out.upper);
    sys::set_mode(upper, 0755);
    if (built_.chain.empty()) return out;
    const auto below = sys::inspect(sys::open_directory(shared_.layout.layer(built_.top())));
    sys::set_owner(upper, below.owner, below.group);
    sys::set_mode(upper, below.mode);
    sys::set_mtime(upper, below.mtime_s, below.mtime_ns);
    return out;
}

StageBuilder::Layer StageBuilder::adopt(const Folders& folders) {
    Layer out;
    out.created_at = now();
    const auto upper = sys::open_directory(folders.upper);
    const auto info = sys::inspect(upper);
    sys::FileInfo below;
    below.mode = 0755;
    if (!built_.chain.empty()) below = sys::inspect(sys::open_directory(shared_.layout.layer(built_.top())));
    const bool same = info.mode == below.mode && info.owner == below.owner && info.group == below.group;
    if (same && sys::list_directory(sys::FdRef(upper)).empty()) {
        sys::remove_tree(folders.path);
        return out;
    }
    image::LayerTarOptions options;
    options.clamp_time = shared_.request.source_date_epoch;
    const auto layer = image::adopt_layer(folders.upper, shared_.layout.layers(), built_.top(), options);
    sys::remove_tree(folders.path);
    out.chain_id = layer.chain_id;
    out.diff_id = layer.diff_id;
    out.size = layer.size;
    return out;
}

build::Owner StageBuilder::owner(const std::string& text, bool primary_group) const {
    if (text.empty()) return {};
    std::string passwd, group;
    if (!built_.chain.empty() && text.find_first_not_of("0123456789:") != std::string::npos) {
        constexpr std::size_t kMaxAccounts = std::size_t{10} << 20U;
        const auto folders = shared_.folders(built_.chain);
        passwd = image::read_image_file(folders, "/etc/passwd", kMaxAccounts).value_or("");
        group = image::read_image_file(folders, "/etc/group", kMaxAccounts).value_or("");
    }
    return build::parse_owner(text, passwd, group, primary_group);
}

StageBuilder::Layer StageBuilder::make_workdir(const build::WorkdirStep& step) {
    const auto who = owner(step.user, true);
    const auto folders = new_folders();
    {
        const auto root = sys::open_writable_overlay(shared_.folders(built_.chain), folders.upper, folders.work);
        build::TreeWriter(root, {}).make_directory(step.path, who);
    }
    return adopt(folders);
}

// --- events ---------------------------------------------------------------------------------------------------------

StageBuilder::Told StageBuilder::tell_started(const std::string& title) {
    Told told;
    told.number = ++shared_.steps;
    ++step_;
    const auto name = stage_.name.empty() ? fmt::format("stage-{}", stage_.index) : stage_.name;
    told.title = fmt::format("[{} {}/{}] {}", name, std::min(step_, steps_), steps_, one_line(title));
    told.began = now();
    tell(Kind::started, told);
    return told;
}

void StageBuilder::tell(Kind kind, const Told& told, const std::string& text) const {
    BuildEvent event;
    event.kind = kind;
    event.build = shared_.request.name;
    event.step = told.number;
    event.title = told.title;
    event.text = text;
    event.seconds = static_cast<double>(now() - told.began) / 1e9;
    shared_.sink.on_build_event(event);
}

// --- RUN ------------------------------------------------------------------------------------------------------------

std::string StageBuilder::run_key(const build::Step&, const build::RunStep& run) {
    Key key("run");
    key.add(built_.top())
        .add(run.argv)
        .add(run.env)
        .add(evaluator_->config().user)
        .add(evaluator_->config().working_dir);
    key.add(run.network).add(run.insecure ? "insecure" : "").add(run.script.value_or(""));
    key.add(mounts_key(shared_, store_, run.mounts)).add(shared_.request.network);
    for (const auto& [name, addresses] : shared_.request.extra_hosts) key.add(name).add(addresses);
    return key.hex();
}

runtime::ContainerSpec StageBuilder::container_spec(const build::RunStep& run, const Folders& folders) {
    const auto& allow = shared_.request.allow;
    const auto allowed = [&](std::string_view what) {
        return std::find(allow.begin(), allow.end(), what) != allow.end();
    };
    if (run.insecure && !allowed("security.insecure"))
        throw make_error(ErrorKind::invalid, "--security=insecure is not allowed")
            .with_hint("allow it with --allow security.insecure, or build.entitlements");
    runtime::ContainerSpec spec;
    spec.id = sys::random_id();
    spec.name = "build step";
    spec.lower = shared_.folders(built_.chain);
    if (spec.lower.empty()) throw make_error(ErrorKind::invalid, "RUN needs an image with a program: scratch is empty");
    spec.upper = folders.upper;
    spec.work = folders.work;
    spec.hostname = "build";
    spec.process.args = run.argv;
    spec.process.env = run.env;
    spec.process.env.insert(spec.process.env.end(), run.hidden.begin(), run.hidden.end());
    spec.process.user = evaluator_->config().user;
    if (!evaluator_->config().working_dir.empty()) spec.process.cwd = evaluator_->config().working_dir;
    spec.privileged = run.insecure;
    if (shared_.request.shm_size) spec.shm_size = *shared_.request.shm_size;
    spec.resources.memory = shared_.request.memory;
    for (const auto& [name, limit] : shared_.request.ulimits) spec.rlimits.push_back({name, limit.first, limit.second});
    spec.cgroup_parent = "compose/" + shared_.installation;
    return spec;
}

void StageBuilder::write_host_files(runtime::ContainerSpec& spec, const Folders& folders,
                                    const BuildNetwork::Seat* seat) {
    const auto write = [&](const char* name, const std::string& text) {
        auto path = folders.path + "/" + name;
        sys::write_file(path, text, 0644);
        sys::set_mode(sys::open_for_reading(path), 0644);
        return path;
    };
    std::vector<net::HostsEntry> hosts;
    for (const auto& [name, addresses] : shared_.request.extra_hosts)
        for (const auto& address : addresses)
            hosts.push_back(
                {address == "host-gateway" ? (seat != nullptr ? seat->gateway().to_string() : "127.0.0.1") : address,
                 {name}});
    if (seat != nullptr) hosts.push_back({seat->address().to_string(), {spec.hostname}});
    const bool host = spec.network == runtime::NamespaceMode::host;
    spec.hosts_file = write("hosts", host && hosts.empty() ? shared_.host.hosts : net::render_hosts(hosts));
    spec.resolv_conf_file =
        write("resolv.conf", host ? shared_.host.resolv_conf : build_resolv_conf(shared_.host.resolv_conf));
    spec.hostname_file = write("hostname", spec.hostname + "\n");
}

}  // namespace compose::engine
