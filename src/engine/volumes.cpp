// Volumes by name: the actions of a plan, one at a time, over a project of its own.
#include <algorithm>
#include <compose/objects.hpp>
#include <compose/plan.hpp>
#include <map>

#include "base/error.hpp"
#include "engine/action_context.hpp"
#include "engine/container_disk.hpp"
#include "engine/materialize.hpp"
#include "engine/silent_sink.hpp"
#include "engine/tree_size.hpp"
#include "store/store.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"

namespace compose {

namespace {

VolumeView view_of(const store::Store& store, const store::Volume& row) {
    VolumeView view;
    view.name = row.name;
    view.project = row.project == kStandaloneProject ? "" : row.project;
    view.driver = row.driver;
    view.mountpoint = store.layout().volume_data(row.name);
    view.options = row.driver_opts;
    view.labels = row.labels;
    view.anonymous = row.anonymous;
    view.created_at = row.created_at;
    return view;
}

}  // namespace

struct Volumes::Impl {
    EngineOptions options;
    store::Layout layout;
    engine::SilentSink sink{};

    [[nodiscard]] store::Store open() const {
        layout.prepare();
        return store::Store(layout);
    }

    /// As those of containers: removed with them by `rm -v`, and by `volume prune`.
    [[nodiscard]] std::string make_anonymous(store::Store& store, const Volume& volume) const {
        store::Volume row;
        row.name = sys::random_id();
        row.project = kStandaloneProject;
        row.anonymous = true;
        row.labels = volume.labels;
        row.labels["com.docker.volume.anonymous"] = "";
        row.created_at = sys::wall_now().time_since_epoch().count();
        store.insert_volume(row);
        engine::make_shared_directory(layout.volume_data(row.name));
        return row.name;
    }

    static void check_same(const store::Volume& row, const Volume& wanted) {
        if (wanted.driver_opts.empty() || row.driver_opts == wanted.driver_opts) return;
        throw make_error(ErrorKind::conflict, "a volume named {} already exists with different options", wanted.name)
            .with_hint("choose another name, or remove it first");
    }
};

Volumes::Volumes(EngineOptions options)
    : impl_(new Impl{options, store::Layout::from(options.state_dir, options.run_dir)}) {}

Volumes::~Volumes() = default;

std::vector<VolumeView> Volumes::list() {
    store::Store store = impl_->open();
    std::map<std::string, std::string> containers;
    for (const store::Container& container : store.containers_without_spec(""))
        containers[container.id] = container.name;
    std::map<std::string, std::vector<std::string>> users;
    for (const auto& [container, volume] : store.volume_uses("")) users[volume].push_back(containers[container]);
    std::vector<VolumeView> result;
    for (const store::Volume& row : store.volumes("")) {
        result.push_back(view_of(store, row));
        result.back().users = users[row.name];
        std::sort(result.back().users.begin(), result.back().users.end());
    }
    return result;
}

VolumeView Volumes::find(const std::string& name) {
    store::Store store = impl_->open();
    const auto row = store.volume(name);
    if (!row) throw make_error(ErrorKind::not_found, "no such volume: {}", name);
    VolumeView view = view_of(store, *row);
    view.users = store.volume_users(name);
    return view;
}

std::string Volumes::create(const Volume& volume) {
    store::Store store = impl_->open();
    if (volume.name.empty()) return impl_->make_anonymous(store, volume);
    if (const auto row = store.volume(volume.name)) {
        Impl::check_same(*row, volume);
        return volume.name;
    }
    Project project;
    project.name = kStandaloneProject;
    project.volumes.emplace(volume.name, volume).first->second.key = volume.name;
    engine::ActionContext context(impl_->layout, kStandaloneProject, &project, impl_->sink);
    engine::Session session(impl_->layout, kStandaloneProject);
    perform(CreateVolume{volume.name, volume.name}, context, session);
    return volume.name;
}

void Volumes::remove(const std::string& name) {
    store::Store store = impl_->open();
    if (!store.volume(name)) throw make_error(ErrorKind::not_found, "no such volume: {}", name);
    engine::remove_volume(store, name);
}

std::int64_t Volumes::size(const std::string& name) {
    const store::Store store = impl_->open();
    const auto row = store.volume(name);
    if (!row) throw make_error(ErrorKind::not_found, "no such volume: {}", name);
    return row->driver_opts.empty() ? engine::tree_size(impl_->layout.volume_data(name)) : 0;
}

ContainerSize container_size(const EngineOptions& options, const std::string& id) {
    const store::Layout layout = store::Layout::from(options.state_dir, options.run_dir);
    const store::Store store(layout);
    const auto row = store.container(id);
    if (!row) throw make_error(ErrorKind::not_found, "no such container: {}", id);
    ContainerSize size;
    const auto spec = runtime::spec_from_json(row->config.spec);
    sys::visit_disk(engine::disk_of(spec), [&] { size.writable = engine::tree_size(spec.upper); });
    const auto image = store.image(row->config.image_id);
    size.total = size.writable + (image ? image->size : 0);
    return size;
}

}  // namespace compose
