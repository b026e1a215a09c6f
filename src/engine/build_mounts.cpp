#include "engine/build_mounts.hpp"

#include <chrono>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "build/paths.hpp"
#include "build/tree_writer.hpp"
#include "engine/build_key.hpp"
#include "engine/cache_mounts.hpp"
#include "sys/clock.hpp"
#include "sys/dir.hpp"
#include "sys/private_path.hpp"
#include "sys/spool.hpp"
#include "sys/tree.hpp"

namespace compose::engine {
namespace {

using build::RunMount;
using Type = RunMount::Type;
using runtime::MountSpec;

constexpr std::size_t kMaxSecret = std::size_t{500} << 10U;

MountSpec bind_spec(std::string source, const RunMount& mount) {
    MountSpec spec;
    spec.source = std::move(source);
    spec.target = mount.target;
    spec.read_only = mount.read_only;
    return spec;
}

}  // namespace

StepMounts::StepMounts(BuildShared& shared, store::Store& store, const std::vector<RunMount>& mounts)
    : shared_(shared), store_(store) {
    for (const auto& mount : mounts)
        in_context([&] { return "--mount on " + quote(mount.target); },
                   [&] {
                       switch (mount.type) {
                           case Type::bind:
                               return bind(mount);
                           case Type::cache:
                               return cache(mount);
                           case Type::secret:
                               return secret(mount);
                           case Type::ssh:
                               return ssh(mount);
                           case Type::tmpfs: {
                               MountSpec spec;
                               spec.kind = MountSpec::Kind::tmpfs;
                               spec.target = mount.target;
                               if (mount.size) spec.options = fmt::format("size={}", *mount.size);
                               specs_.push_back(std::move(spec));
                           }
                       }
                   });
}

StepMounts::~StepMounts() {
    agents_.clear();
    if (secrets_.empty()) return;
    try {
        sys::remove_tree(secrets_);
    } catch (const std::exception&) {
        // The next build removes it with the rest.
    }
}

/// A copy that the step may do with as it likes: neither its writes nor its links reach what it was made of.
std::string StepMounts::snapshot(const build::SourceTree& tree, const std::string& source) {
    const auto found = tree.find(source);
    if (found.size() != 1)
        throw make_error(ErrorKind::invalid, "the source {} must be one file or folder", quote(source));
    const auto folder = shared_.workspace.new_folder("bind");
    const auto root = sys::open_directory(folder);
    build::TreeWriter writer(root, {});
    const auto info = tree.inspect(found[0].path);
    const bool directory = info && info->kind == sys::FileKind::directory;
    writer.copy(tree, found[0], source, directory ? "/content" : "/content/");
    writer.finish();
    return folder + (directory ? "/content" : "/content/" + std::string(build::base_name(found[0].matched)));
}

void StepMounts::bind(const RunMount& mount) {
    const auto source = mount.source.empty() ? std::string("/") : mount.source;
    if (mount.from.empty()) {
        specs_.push_back(bind_spec(snapshot(shared_.sources.context(), source), mount));
    } else if (const auto* folder = shared_.sources.named_folder(mount.from)) {
        specs_.push_back(bind_spec(snapshot(*folder, source), mount));
    } else {
        const auto layers = shared_.layers_of(store_, mount.from);
        if (!mount.read_only || layers.chain.empty()) {
            const LayersView view(shared_, layers.chain);
            specs_.push_back(bind_spec(snapshot(view.tree(), source), mount));
            return;
        }
        MountSpec spec;
        spec.kind = MountSpec::Kind::image;
        spec.source = mount.from;
        spec.target = mount.target;
        spec.read_only = true;
        spec.lower = shared_.folders(layers.chain);
        spec.subpath = build::clean_relative(source);
        specs_.push_back(std::move(spec));
    }
}

void StepMounts::cache(const RunMount& mount) {
    auto spec = bind_spec(take_cache(cache_mount_folder(shared_.layout, mount.id), mount), mount);
    // Somebody else may change the folder at this moment: the part of it is looked up by the runtime, links inside it.
    if (mount.from.empty()) spec.subpath = build::clean_relative(mount.source);
    specs_.push_back(std::move(spec));
}

std::string StepMounts::take_cache(const std::string& folder, const RunMount& mount) {
    const auto place = lock_cache(folder, mount);
    // Whoever prunes may come between making and holding, but not for ever.
    constexpr int kTries = 100;
    for (int i = 0; i < kTries; ++i) {
        if (auto held = hold_cache_mount(place, mount.id)) {
            held_.push_back(std::move(*held));
            return place;
        }
        make_cache(place, mount);
    }
    throw make_error("{} is no folder", place);
}

/// The folder that this step may have: alone, where it wants that.
std::string StepMounts::lock_cache(const std::string& folder, const RunMount& mount) {
    using Sharing = RunMount::Sharing;
    if (mount.sharing == Sharing::shared) return folder;
    const bool another = mount.sharing == Sharing::exclusive;  // a further one will do
    for (int number = 0;; ++number) {
        const auto place = another && number > 0 ? fmt::format("{}-{}", folder, number) : folder;
        if (auto lock = sys::FileLock::acquire(place + ".lock", std::chrono::milliseconds(another ? 0 : 200))) {
            locks_.push_back(std::move(*lock));
            return place;
        }
        if (shared_.cancel.stop_requested()) throw Error("waiting for the cache was given up");
    }
}

void StepMounts::make_cache(const std::string& place, const RunMount& mount) {
    const auto fresh = shared_.workspace.new_folder("cache");
    const auto root = sys::open_directory(fresh);
    if (!mount.from.empty()) {
        const auto source = mount.source.empty() ? std::string("/") : mount.source;
        const auto copy = [&](const build::SourceTree& tree) {
            build::TreeWriter writer(root, {});
            for (const auto& found : tree.find(source)) writer.copy(tree, found, source, "/");
            writer.finish();
        };
        if (const auto* named = shared_.sources.named_folder(mount.from))
            copy(*named);
        else
            copy(LayersView(shared_, shared_.layers_of(store_, mount.from).chain).tree());
    }
    sys::set_owner(root, mount.uid, mount.gid);
    sys::set_mode(root, mount.mode.value_or(0755));
    try {
        sys::rename_file(fresh, place);
    } catch (const Error&) {
        if (!sys::exists(place)) throw;
        sys::remove_tree(fresh);  // another build was quicker
    }
}

void StepMounts::secret(const RunMount& mount) {
    const auto& known = shared_.request.secrets;
    const auto given = std::find_if(known.begin(), known.end(), [&](const BuildSecret& s) { return s.id == mount.id; });
    if (given == known.end()) {
        if (mount.required)
            throw make_error(ErrorKind::invalid, "the secret {} was not given", quote(mount.id))
                .with_hint(fmt::format("add --secret id={},src=FILE, or build.secrets", mount.id));
        return;
    }
    const auto value = given->value ? *given->value : sys::read_file(given->file, kMaxSecret);
    if (!mount.env.empty()) environment_.push_back(mount.env + "=" + value);
    if (mount.target.empty()) return;
    const auto path = private_file();
    sys::write_file(path, value, 0600);
    const auto file = sys::open_for_reading(path);
    sys::set_owner(file, mount.uid, mount.gid);
    sys::set_mode(file, mount.mode.value_or(0400));
    auto spec = bind_spec(path, mount);
    spec.read_only = true;
    specs_.push_back(std::move(spec));
}

void StepMounts::ssh(const RunMount& mount) {
    const auto given = shared_.request.ssh.find(mount.id);
    if (given == shared_.request.ssh.end()) {
        if (mount.required)
            throw make_error(ErrorKind::invalid, "no SSH agent {} was given", quote(mount.id))
                .with_hint(fmt::format("add --ssh {}", mount.id));
        return;
    }
    const auto path = private_file();
    agents_.push_back(std::make_unique<AgentRelay>(given->second, path));
    const auto folder = sys::open_directory(secrets_);
    const auto name = path.substr(secrets_.size() + 1);
    sys::set_owner_at(folder, name, mount.uid, mount.gid);
    sys::set_mode_at(folder, name, mount.mode.value_or(0600));
    specs_.push_back(bind_spec(path, mount));
    environment_.push_back("SSH_AUTH_SOCK=" + mount.target);
}

/// A name in a folder of this step that only root can enter.
std::string StepMounts::private_file() {
    if (secrets_.empty()) {
        secrets_ = shared_.layout.run + "/build-" + shared_.workspace.id() + "-" + sys::random_id().substr(0, 8);
        sys::make_private_directory(secrets_);
    }
    return fmt::format("{}/{}", secrets_, specs_.size());
}

std::string mounts_key(BuildShared& shared, store::Store& store, const std::vector<RunMount>& mounts) {
    StepKey key("mounts");
    for (const auto& mount : mounts) {
        key.add(std::to_string(static_cast<int>(mount.type)))
            .add(mount.target)
            .add(mount.source)
            .add(mount.from)
            .add(mount.id)
            .add(mount.env)
            .add(fmt::format("{} {} {} {} {} {}", mount.read_only, mount.required, mount.mode.value_or(010000),
                             mount.uid, mount.gid, mount.size.value_or(-1)));
        if (mount.type != Type::bind) continue;
        const auto source = mount.source.empty() ? std::string("/") : mount.source;
        const auto add = [&](const build::SourceTree& tree) {
            for (const auto& found : tree.find(source)) key.add(tree.digest(found.path, {}));
        };
        in_context([&] { return "--mount on " + quote(mount.target); },
                   [&] {
                       if (mount.from.empty())
                           add(shared.sources.context());
                       else if (const auto* folder = shared.sources.named_folder(mount.from))
                           add(*folder);
                       else
                           key.add(shared.layers_of(store, mount.from).top());
                   });
    }
    return key.hex();
}

}  // namespace compose::engine
