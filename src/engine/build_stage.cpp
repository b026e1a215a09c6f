#include "engine/build_stage.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "build/paths.hpp"
#include "build/remote.hpp"
#include "engine/build_config.hpp"
#include "engine/build_key.hpp"
#include "engine/build_remote_cache.hpp"
#include "image/copy_up.hpp"
#include "image/layer.hpp"
#include "image/layer_diff.hpp"
#include "sys/clock.hpp"
#include "sys/copy_tree.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/overlay_view.hpp"
#include "sys/spool.hpp"
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
    if (!stage_.base_stage) built_.config.labels.erase(kCacheLabel);
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
        const auto key = StepKey("workdir").add(built_.top()).add(workdir.path).add(workdir.user).hex();
        cached(step, key, [&] { return make_workdir(workdir); });
    }
    current_ = {};
}

bool StageBuilder::uses_cache() const {
    const auto& filter = shared_.request.no_cache_filter;
    const auto is_named = [&](const std::string& name) { return shared_.file.find(name) == stage_.index; };
    return !shared_.request.no_cache && std::none_of(filter.begin(), filter.end(), is_named);
}

std::optional<StageBuilder::Layer> StageBuilder::find_layer(const build::Step& step, const std::string& key) {
    auto row = cache_.find(key);
    if (const auto brought = shared_.imported.find(key); !row && brought != shared_.imported.end()) {
        row = brought->second;
        row->description = one_line(step.shown);
        row->size = std::max<std::int64_t>(store_.layer_size(row->chain_id), 0);
        cache_.put(*row);
    }
    if (!row) return std::nullopt;
    Layer layer{row->chain_id, row->diff_id, row->size, row->created_at};
    if (layer.chain_id.empty()) return layer;
    const auto* copy = std::get_if<build::CopyStep>(&step.what);
    if (copy != nullptr && copy->link) layer.chain_id = image::chain_id(built_.top(), layer.diff_id);
    if (sys::exists(shared_.layout.layer(layer.chain_id))) return layer;
    // A row may have outlived its layer, if somebody removed that by hand.
    if (layer.chain_id == row->chain_id || !sys::exists(shared_.layout.layer(row->chain_id))) return std::nullopt;
    if (!relink({row->chain_id, row->diff_id, row->size, row->created_at}, layer.chain_id)) return std::nullopt;
    return layer;
}

/// The layer on another base: the same files under a further name.
bool StageBuilder::relink(const Layer& layer, const std::string& chain_id) {
    const auto folder = shared_.workspace.new_folder("link");
    const auto made = sys::open_directory(folder);
    try {
        sys::link_tree(sys::open_directory(shared_.layout.layer(layer.chain_id)), made);
    } catch (const Error& error) {
        log::debug("link the layer {}: {}", layer.chain_id, error.what());  // too many links: it is made anew
        return false;
    }
    sys::sync_file_system(made);
    try {
        sys::rename_file(folder, shared_.layout.layer(chain_id));
    } catch (const Error&) {
        if (!sys::exists(shared_.layout.layer(chain_id))) throw;  // another build was quicker
    }
    return true;
}

template <class Make>
void StageBuilder::cached(const build::Step& step, const std::string& key, const Make& make) {
    if (uses_cache()) {
        if (const auto known = find_layer(step, key)) {
            add_layer(step, *known);
            note_step(key, *known);
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
    note_step(key, layer);
    tell(Kind::done, current_);
}

/// For caches that others use.
void StageBuilder::note_step(const std::string& key, const Layer& layer) {
    built_.steps.emplace_back(key, layer.chain_id.empty() ? -1 : static_cast<std::int64_t>(built_.chain.size()) - 1);
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
    const auto below = root_below();
    sys::set_owner(upper, below.owner, below.group);
    sys::set_mode(upper, below.mode);
    sys::set_mtime(upper, below.mtime_s, below.mtime_ns);
    return out;
}

sys::FileInfo StageBuilder::root_below() const {
    if (!built_.chain.empty()) return sys::inspect(sys::open_directory(shared_.layout.layer(built_.top())));
    sys::FileInfo out;
    out.mode = 0755;
    return out;
}

StageBuilder::Layer StageBuilder::adopt(const Folders& folders) {
    Layer out;
    out.created_at = now();
    const auto upper = sys::open_directory(folders.upper);
    const auto info = sys::inspect(upper);
    const auto below = root_below();
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

}  // namespace compose::engine
