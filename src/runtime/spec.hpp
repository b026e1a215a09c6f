// Everything the runtime must know about one container. It knows no Compose words: the engine fills this in, the store
// keeps it as JSON, the supervisor hands it to the launcher, also for restarts.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace compose::runtime {

struct MountSpec {
    enum class Kind { bind, tmpfs, image };
    Kind kind = Kind::bind;
    std::string source;  // bind: absolute host path of a file or directory that exists
    std::string target;  // absolute path in the container; made when missing
    bool read_only = false;
    bool recursive_read_only = true;  // with read_only: submounts too
    bool recursive = true;            // bind: take submounts along
    std::string propagation = "rprivate";
    std::string options;               // tmpfs: "size=67108864,mode=1777,uid=1000,exec"; bind: "nosuid,noexec"
    std::string subpath{};             // bind, image: what of it; links in it lead nowhere else
    std::vector<std::string> lower{};  // image: its unpacked layers, topmost first; always read-only
    std::string volume{};              // name of the volume behind it: for those who share a container's mounts
    bool for_this_one = false;         // made for this container alone: not shared with others
};

struct DeviceSpec {
    std::string source;       // host path of a device, or of a folder with devices; empty: type and numbers say it all
    std::string target;       // path in the container, below /dev
    std::string permissions;  // of "rwm"
    std::string type{};       // "b", "c", "u" (like "c"), "p" (a FIFO); empty: the source's
    std::optional<std::int64_t> major{}, minor{};      // in place of the source's
    std::optional<std::int64_t> mode{}, uid{}, gid{};  // too
};

/// An interface of the host that is the container's while it runs. Hardware comes back when its namespace ends.
struct NetDevice {
    std::string host;  // its name there
    std::string name;  // and in the container
};

/// Of the processor's caches and its memory bandwidth (see resctrl.hpp).
struct CacheShare {
    std::string group;                  // that others may be in too; empty: one of the container's own
    std::vector<std::string> schemata;  // "L3:0=f;1=f", "MB:0=50"
};

/// A program that has something to do at a point of a container's life. Those of "startContainer" are the container's
/// own and run as it does, all others are the host's.
struct HostHook {
    std::string stage;                // as OCI calls it: "createContainer"
    std::string path;                 // of the program, there
    std::vector<std::string> args;    // with its own name; empty: the path
    std::vector<std::string> env;     // "K=V": all that it has
    std::chrono::seconds timeout{0};  // then it is killed; 0: never
    std::string origin;               // the file that asks for it, for messages
};

struct Rlimit {
    std::string name;       // "nofile"
    std::int64_t soft = 0;  // -1: unlimited
    std::int64_t hard = 0;
};

struct ProcessSpec {
    std::vector<std::string> args;  // args[0] is looked up in the container's PATH
    std::vector<std::string> env;   // "K=V"; HOME, PATH, HOSTNAME, TERM are added where missing
    std::string cwd = "/";          // made when missing (only for a container's first process)
    std::string user;               // "", "1000", "1000:1000", "name", "name:group", resolved inside the root
    std::vector<std::string> additional_groups;
    bool terminal = false;                // a new pty inside the container is its controlling terminal
    std::uint16_t rows = 0, columns = 0;  // of the terminal; 0: leave the default
    bool privileged = false;              // exec --privileged: all capabilities
};

/// A number for one block device.
struct DeviceRate {
    std::string path;  // of the device on the host
    std::uint64_t rate = 0;
};

struct Resources {
    std::optional<std::int64_t> memory;       // bytes
    std::optional<std::int64_t> memory_swap;  // memory + swap, -1 unlimited
    std::int64_t pids = 2048;                 // -1: unlimited
    std::optional<double> cpus;
    std::optional<std::uint64_t> cpu_shares;
    std::optional<std::string> cpuset_cpus;
    std::optional<std::string> cpuset_mems{};  // memory nodes
    std::optional<std::int64_t> cpu_quota{};   // microseconds in each period; instead of cpus
    std::optional<std::int64_t> cpu_period{};
    std::optional<std::int64_t> cpu_rt_runtime{};  // cgroup v1 only, as is cpu_rt_period
    std::optional<std::int64_t> cpu_rt_period{};
    std::optional<std::int64_t> memory_reservation{};  // bytes
    std::optional<int> memory_swappiness{};            // cgroup v1 only
    bool oom_kill_disable = false;                     // cgroup v1 only
    std::optional<int> blkio_weight{};                 // 10 to 1000
    std::vector<DeviceRate> blkio_weight_device{};
    std::vector<DeviceRate> read_bps{}, write_bps{}, read_iops{}, write_iops{};
};

enum class NamespaceMode { own, host, joined };  // joined: another container's

struct ContainerSpec {
    std::string id;    // 64 hex digits
    std::string name;  // for messages

    std::vector<std::string> lower;  // unpacked layers, topmost first
    std::string upper;
    std::string work;
    std::string disk;        // a file with the file system that these two are on; empty: none (see sys/disk.hpp)
    std::string disk_place;  // where they are looked for in it
    bool read_only = false;

    std::string hostname;
    std::string domainname;
    std::string hosts_file;  // host paths, bound to /etc/hosts, /etc/resolv.conf, /etc/hostname; empty: not bound
    std::string resolv_conf_file;
    std::string hostname_file;

    ProcessSpec process;
    std::vector<MountSpec> mounts;  // in order; the launcher sorts by depth
    std::int64_t shm_size = 64 << 20;

    NamespaceMode network = NamespaceMode::own;  // own: lo is up, nothing else; endpoints are connected by the caller
    NamespaceMode pid = NamespaceMode::own;
    NamespaceMode ipc = NamespaceMode::own;
    NamespaceMode uts = NamespaceMode::own;
    NamespaceMode cgroup = NamespaceMode::own;
    std::string network_of, pid_of, ipc_of;  // joined: names of containers; who launches finds their processes
    bool shared_memory = true;               // false: nothing is mounted on /dev/shm
    bool joinable_ipc = true;                // others may join its IPC namespace

    std::vector<std::string> cap_add, cap_drop;  // "NET_ADMIN", "CAP_NET_ADMIN", "ALL"
    bool privileged = false;
    bool no_new_privileges = false;
    std::string apparmor;       // a profile that is loaded; empty: none
    std::string process_label;  // of SELinux, for all its processes; empty: the engine's own
    std::string mount_label;    // and for the file systems made for it; empty: none
    bool seccomp_unconfined = false;
    std::string seccomp_profile;     // JSON as Docker has it; empty: the default
    bool unprotected_paths = false;  // nothing in /proc and /sys is hidden or read-only
    bool writable_cgroups = false;
    std::vector<DeviceSpec> devices;
    std::vector<NetDevice> net_devices;
    std::optional<CacheShare> cache_share;
    std::vector<std::string> device_rules;  // "c 1:3 mr": what else may be used
    bool init = false;                      // our own reaper is pid 1 and runs the process
    std::map<std::string, std::string> sysctls;
    std::vector<Rlimit> rlimits;
    Resources resources;
    std::string cgroup_parent;  // relative to the root of each hierarchy; "compose/<installation id>"
    std::optional<int> oom_score_adj;
    bool stdin_open = false;  // without a terminal: its standard input is a pipe that is kept open

    // Of one launch, and not kept:
    std::string bundle;  // folder that the host's hooks know; then it waits with its root on "rootfs" there for them
    std::vector<HostHook> start_hooks;  // run in it before its program
};

[[nodiscard]] std::string to_json(const ContainerSpec& spec);
/// Throws Error(invalid) on anything that to_json did not write.
[[nodiscard]] ContainerSpec spec_from_json(std::string_view text);

}  // namespace compose::runtime
