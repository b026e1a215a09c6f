#include "engine/build_workspace.hpp"

#include <chrono>

#include "base/error.hpp"
#include "base/log.hpp"
#include "engine/firewall_sync.hpp"
#include "net/bridge.hpp"
#include "runtime/cgroup.hpp"
#include "supervisor/network_rows.hpp"
#include "sys/clock.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/netns_lock.hpp"
#include "sys/private_path.hpp"
#include "sys/tree.hpp"

namespace compose::engine {
namespace {

constexpr std::string_view kPrefix = "work-";
constexpr std::chrono::milliseconds kNoWait{0};

void end_containers(const std::string& folder) {
    for (const auto& id : sys::list_directory(folder + "/containers")) {
        const auto parent = sys::read_file(folder + "/containers/" + id);
        if (parent.empty()) continue;  // it died before it made one
        runtime::Cgroup cgroup(runtime::cgroup_root(), parent, id);
        if (cgroup.exists()) {
            log::debug("end the build container {}", id);
            cgroup.kill();
        }
        cgroup.remove();  // a builder killed in the middle of this has left some of it, or the parents
    }
}

void remove_secrets(const store::Layout& layout, const std::string& build_id) {
    for (const auto& name : sys::list_directory(layout.run))
        if (name.starts_with("build-" + build_id + "-")) sys::remove_tree(layout.run + "/" + name);
}

void remove_dead_builds(store::Store& store) {
    const auto builds = sys::open_directory(store.layout().builds());
    for (const auto& name : sys::list_directory(sys::FdRef(builds))) {
        if (!name.starts_with(kPrefix)) continue;
        const auto dir = sys::open_directory_at(builds, name);
        if (!dir || !sys::lock(*dir, sys::LockMode::exclusive, kNoWait)) continue;
        try {
            log::debug("clean up after the build {}", name);
            const auto folder = store.layout().builds() + "/" + name;
            if (sys::exists(folder + "/containers")) end_containers(folder);
            if (const auto row = store.network_by_name(build_network_name(name.substr(kPrefix.size()))))
                remove_build_network(store, *row);
            remove_secrets(store.layout(), name.substr(kPrefix.size()));
            sys::remove_tree_at(builds, name);
        } catch (const Error& error) {
            log::debug("clean up after {}: {}", name, error.what());
        }
    }
}

}  // namespace

BuildWorkspace::BuildWorkspace(store::Store& store) : layout_(store.layout()) {
    sys::make_private_directory(layout_.builds());
    sys::make_private_directory(layout_.builds() + "/cache");
    remove_dead_builds(store);
    const auto builds = sys::open_directory(layout_.builds());
    for (;;) {
        id_ = sys::random_id().substr(0, 12);
        const auto name = std::string(kPrefix) + id_;
        if (!sys::create_directory_at(builds, name, 0700)) continue;
        auto dir = sys::open_directory_at(builds, name);
        if (!dir || !sys::lock(*dir, sys::LockMode::exclusive, kNoWait)) continue;
        // Someone who cleans up may have come between: only a folder that still has its name is ours.
        const auto there = sys::inspect_at(builds, name);
        if (!there || there->inode != sys::inspect(*dir).inode) continue;
        lock_ = std::move(*dir);
        path_ = layout_.builds() + "/" + name;
        break;
    }
    sys::make_directory(path_ + "/containers");
}

BuildWorkspace::~BuildWorkspace() {
    try {
        if (kept_)
            clear();
        else
            sys::remove_tree(path_);
    } catch (const std::exception& error) {
        log::debug("remove {}: {}", path_, error.what());  // the next build will try again
    }
}

void BuildWorkspace::clear() {
    for (const auto& name : sys::list_directory(sys::FdRef(lock_)))
        if (name != "containers") sys::remove_tree_at(lock_, name);
}

std::string BuildWorkspace::new_folder(const std::string& what) {
    auto folder = fmt::format("{}/{}-{}", path_, what, next_++);
    sys::make_directory(folder, 0755);
    sys::set_mode(sys::open_directory(folder), 0755);  // whatever the umask
    return folder;
}

void BuildWorkspace::note_container(const std::string& container_id, const std::string& cgroup_parent) const {
    sys::write_file(path_ + "/containers/" + container_id, cgroup_parent, 0600);
}

void BuildWorkspace::forget_container(const std::string& container_id) const {
    sys::remove_tree(path_ + "/containers/" + container_id);
}

std::string build_network_name(const std::string& build_id) {
    return "compose-build-" + build_id;
}

void remove_build_network(store::Store& store, const store::Network& row) {
    const sys::NetnsLock lock;
    store.transaction([&] {
        store.delete_network(row.id);
        net::Firewall firewall("compose-" + store.installation_id());
        firewall.remove_network(firewall_network(row));
        net::remove_bridge(row.bridge);
        if (store.networks("").empty()) firewall.remove();
        supervisor::settle_bridge_filter(store);
    });
}

}  // namespace compose::engine
