// Every path of an installation, in one place.
//
//   <state>/                  0700
//     state.db                SQLite, WAL
//     blobs/sha256/<hex>      layers as they came from registries and archives (see image/content_store.hpp)
//     layers/<chain id>/      an unpacked layer, shared read-only by containers
//     layers/tmp-*/           being unpacked; removed at the next start when nobody holds its lock
//     mount-points/           what every root has at least: empty files and folders to mount over
//     containers/<id>/        upper, work (or disk.img, with both in it, and disk, where it is mounted), hosts,
//                             resolv.conf, hostname, configs, container.log[.1 .2]
//     trash/<id>/             of a removed container, not emptied yet
//     volumes/<name>/_data
//     volumes/.removed-<id>/  one that is being removed
//     events.log[.1]          what has happened, one JSON object a line (see event_log.hpp)
//     build/work-<id>/        a build at work; removed by the next one when nobody holds its lock
//     build/cache/            RUN --mount=type=cache, and the digests of contexts
//     copies/                 Compose files that lie elsewhere (see engine/remote_files.hpp)
//   <run>/                    0700, gone after a reboot
//     boot-id
//     dns-generation          8 bytes, mapped by every supervisor (see generation.hpp)
//     bridge-filter           what was turned off in the kernel (see net/bridge_filter.hpp)
//     secrets/<id>/           what a container is granted of secrets; in memory where /run is
//     projects/<name>/        control.sock, lock (commands), keeper.lock (held while a keeper lives), keeper.log
#pragma once

#include <string>
#include <string_view>

namespace compose::store {

struct Layout {
    std::string state;
    std::string run;

    /// From COMPOSE_STATE_DIR and COMPOSE_RUN_DIR (either may be empty), else /var/lib/compose and /run/compose.
    [[nodiscard]] static Layout from(const std::string& state_dir, const std::string& run_dir);

    [[nodiscard]] std::string database() const { return state + "/state.db"; }
    [[nodiscard]] std::string blobs() const { return state + "/blobs"; }
    [[nodiscard]] std::string layers() const { return state + "/layers"; }
    [[nodiscard]] std::string layer(const std::string& chain_id) const { return layers() + "/" + chain_id; }
    [[nodiscard]] std::string mount_points() const { return state + "/mount-points"; }
    [[nodiscard]] std::string container(const std::string& id) const { return state + "/containers/" + id; }
    [[nodiscard]] std::string trash() const { return state + "/trash"; }
    [[nodiscard]] std::string builds() const { return state + "/build"; }
    [[nodiscard]] std::string copies() const { return state + "/copies"; }
    [[nodiscard]] std::string container_log(const std::string& id) const { return container(id) + "/container.log"; }
    [[nodiscard]] std::string event_log() const { return state + "/events.log"; }
    [[nodiscard]] std::string container_probes(const std::string& id) const { return container(id) + "/probes.json"; }
    [[nodiscard]] std::string volume(const std::string& name) const { return state + "/volumes/" + name; }
    [[nodiscard]] std::string volumes() const { return state + "/volumes"; }
    /// What a volume's folder is called once it is no volume any more: no volume can have such a name.
    static constexpr std::string_view kRemovedVolume = ".removed-";
    [[nodiscard]] std::string volume_data(const std::string& name) const { return volume(name) + "/_data"; }
    [[nodiscard]] std::string project_run(const std::string& project) const { return run + "/projects/" + project; }
    [[nodiscard]] std::string control_socket(const std::string& p) const { return project_run(p) + "/control.sock"; }
    [[nodiscard]] std::string project_lock(const std::string& project) const { return project_run(project) + "/lock"; }
    [[nodiscard]] std::string keeper_lock(const std::string& project) const {
        return project_run(project) + "/keeper.lock";
    }
    [[nodiscard]] std::string secrets(const std::string& id) const { return run + "/secrets/" + id; }
    [[nodiscard]] std::string bridge_filter() const { return run + "/bridge-filter"; }
    [[nodiscard]] std::string dns_generation() const { return run + "/dns-generation"; }

    /// Makes the folders, 0700; refuses ones that another user owns or may write.
    void prepare() const;
};

}  // namespace compose::store
