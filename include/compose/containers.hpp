// Single containers by name or id, whatever project they belong to: what `docker container ...` asks for, and the parts
// of Compose commands that are about one container. As Engine: it never prints, prompts or exits.
#pragma once

#include <chrono>
#include <compose/engine.hpp>
#include <compose/events.hpp>
#include <compose/project.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace compose {

/// The project that containers made by hand belong to. No Compose file can have this name.
inline constexpr const char* kStandaloneProject = "_containers";

/// On containers that are removed, with their anonymous volumes, once they have ended: by their supervisor, unless
/// whoever waits for the end is faster.
inline constexpr const char* kAutoRemoveLabel = "com.docker.compose.auto-remove";

struct CreateOptions {
    std::string name;     // empty: <project>-<service>-run-<slug>, or the slug for a standalone container
    bool oneoff = true;   // labelled com.docker.compose.oneoff; never counted as a replica
    bool labels = true;   // Compose's own labels; never on standalone containers
    bool aliases = true;  // answers to the service's names on its networks
    bool ports = true;    // publishes the service's ports
};

struct ContainerNetwork {
    std::string name, id, address, gateway, mac;
    int prefix_length = 0;
    std::vector<std::string> aliases;
    std::string address6, gateway6;  // empty: none
    int prefix_length6 = 0;
    std::map<std::string, std::string> driver_options;  // com.docker.network.endpoint.ifname and .sysctls
};

struct ContainerMount {
    std::string type;  // bind, volume, tmpfs
    std::string name;  // of a volume
    std::string source, destination, propagation;
    bool read_only = false;
};

struct ProbeRecord {
    std::int64_t began = 0, ended = 0;  // nanoseconds since 1970
    int exit_code = 0;
    std::string output;
};

/// Everything that is known of one container.
struct ContainerDetails {
    ContainerView view;
    std::string image_id, restart, error;
    std::vector<std::string> command, environment;
    std::string user, working_dir, hostname, domainname;
    int stop_signal = 15;
    Nanoseconds stop_timeout{0};
    bool oom_killed = false, stopped_by_user = false;
    std::string apparmor;  // its profile
    bool terminal = false, stdin_open = false, read_only = false, privileged = false, init = false;
    std::vector<ContainerNetwork> networks;
    std::vector<ContainerMount> mounts;
    std::string folder, upper, work;
    std::vector<std::string> lower;   // topmost first
    std::string spec_json;            // the runtime's specification
    std::string ports_json;           // the wished host ports, as the store has them
    std::string request_json;         // what was asked for: {"Config": {}, "HostConfig": {}} in Docker's terms
    std::string health_json;          // the probe's configuration, empty: none
    std::vector<ProbeRecord> probes;  // the last ones, oldest first
    int failing_streak = 0;
};

struct ProcessTable {
    std::vector<std::string> titles;  // UID PID PPID C STIME TTY TIME CMD
    std::vector<std::vector<std::string>> processes;
};

/// Counters since the container's start, and how full it is now. Rates are the difference of two.
struct ContainerStats {
    std::int64_t time = 0;  // nanoseconds, monotonic
    std::uint64_t cpu_ns = 0;
    int cpus = 1;  // online ones
    std::uint64_t memory = 0, memory_limit = 0;
    std::uint64_t received = 0, sent = 0;  // bytes over all its interfaces
    std::uint64_t read = 0, written = 0;   // bytes from and to block devices
    std::uint64_t processes = 0;
};

struct PathInfo {
    std::string name, link_target;
    std::int64_t size = 0, mtime = 0;  // mtime in nanoseconds since 1970
    std::uint32_t mode = 0;            // with the file's type, as st_mode has it
    bool directory = false;
};

struct CopyOptions {
    bool archive = false;       // keep owners
    bool follow_links = false;  // of the source, when it is a symbolic link itself
};

struct LimitChanges {
    std::optional<double> cpus;
    std::optional<std::int64_t> memory;       // bytes
    std::optional<std::int64_t> memory_swap;  // memory + swap, -1: unlimited
    std::optional<std::int64_t> pids;         // -1: unlimited
    std::optional<std::uint64_t> cpu_shares;
    std::optional<std::string> cpuset_cpus, cpuset_mems;
    std::optional<std::int64_t> cpu_quota, cpu_period;          // microseconds; in place of cpus
    std::optional<std::int64_t> cpu_rt_runtime, cpu_rt_period;  // cgroup v1 only
    std::optional<std::int64_t> memory_reservation;             // bytes
    std::optional<int> blkio_weight;                            // 10 to 1000
    std::optional<std::string> restart;                         // "no", "always", "on-failure[:N]", "unless-stopped"
};

struct CommitOptions {
    std::string reference;  // empty: only an id
    std::string author, message;
    std::vector<std::string> changes;  // Dockerfile instructions
    bool pause = true;
};

struct FileChange {
    enum class Kind { added, changed, deleted };
    Kind kind = Kind::changed;
    std::string path;
};

/// The standard streams of a container's first process, shared with its log.
class AttachSession {
public:
    virtual ~AttachSession() = default;
    /// What it writes from now on; with a terminal only out(). -1: there is none. Owned by the session.
    [[nodiscard]] virtual int out() const = 0;
    [[nodiscard]] virtual int err() const = 0;
    /// What it reads: a pipe, or the terminal's master (never read from that one). -1: it reads nothing.
    [[nodiscard]] virtual int in() const = 0;
    virtual void close_input() = 0;
    [[nodiscard]] virtual bool terminal() const = 0;
};

class Containers {
public:
    Containers(EngineOptions options, EventSink& events);
    ~Containers();
    Containers(const Containers&) = delete;
    Containers& operator=(const Containers&) = delete;

    /// By name; empty `project`: of all projects.
    [[nodiscard]] std::vector<ContainerView> list(const std::string& project = {});
    /// Projects that have a container, standalone ones left out.
    [[nodiscard]] std::vector<std::string> projects();
    /// By name, id or the beginning of an id. Throws not_found, or conflict when several begin so.
    [[nodiscard]] ContainerView find(const std::string& reference);
    [[nodiscard]] ContainerDetails inspect(const std::string& reference);

    /// Makes networks and volumes of the service that are missing, then one container that is no replica; does not
    /// start it. Standalone when `project_name` is kStandaloneProject. Returns its id.
    [[nodiscard]] std::string create(const std::string& project_name, const Project& project,
                                     const std::string& service, const CreateOptions& options);

    void start(const std::string& reference);
    /// After the machine has started: whatever is down and has a restart policy of always or unless-stopped, of all
    /// projects, unless it was stopped by hand. What can't be started is told as an error event and does not keep the
    /// rest; the result says how many those were.
    [[nodiscard]] std::size_t start_after_boot();
    /// Attached before it runs: no output is missed.
    [[nodiscard]] std::unique_ptr<AttachSession> start_attached(const std::string& reference, bool input);
    /// The post_start hooks of a container that is being started, as soon as it runs. Nothing when it has ended
    /// already.
    void run_post_start(const std::string& reference);
    void stop(const std::string& reference, std::optional<Nanoseconds> timeout, std::optional<int> signal = {});
    void restart(const std::string& reference, std::optional<Nanoseconds> timeout);
    void kill(const std::string& reference, int signal);
    void pause(const std::string& reference);
    void unpause(const std::string& reference);
    /// Conflict when it runs, unless `force`; with `volumes` its anonymous ones too.
    void remove(const std::string& reference, bool force, bool volumes);
    /// Removes the files of containers whose removal was cut short.
    void empty_trash();
    void rename(const std::string& reference, const std::string& name);
    void update(const std::string& reference, const LimitChanges& changes);
    /// The exit code once it has ended (at once when it does not run).
    [[nodiscard]] int wait(const std::string& reference, std::stop_token cancel = {});

    [[nodiscard]] std::unique_ptr<AttachSession> attach(const std::string& reference, bool input);
    [[nodiscard]] std::unique_ptr<ExecSession> exec(const ExecOptions& options, int in, int out, int err);

    /// From /proc alone: nothing of the container is run.
    /// With options of ps for the columns (see engine/process_list.hpp); none: those of `ps -ef`.
    [[nodiscard]] ProcessTable top(const std::string& reference, const std::vector<std::string>& ps_options = {});
    /// Nothing when it does not run.
    [[nodiscard]] std::optional<ContainerStats> stats(const std::string& reference);

    // Files. Paths are looked up inside the container's root, its volumes included, whether it runs or not; no link
    // leads out of it.
    /// The file or tree as a tar stream to `out`; the first entry is the last component of `path`.
    void read_archive(const std::string& reference, const std::string& path, int out, const CopyOptions& options);
    /// Unpacks a tar stream into the directory `path`; owners as it says.
    void write_archive(const std::string& reference, const std::string& path, int in);
    void copy_from(const std::string& reference, const std::string& path, const std::string& host_path,
                   const CopyOptions& options);
    void copy_to(const std::string& host_path, const std::string& reference, const std::string& path,
                 const CopyOptions& options);
    /// The merged root, without volumes, as a tar stream.
    void export_root(const std::string& reference, int out);
    [[nodiscard]] std::vector<FileChange> diff(const std::string& reference);
    /// Returns the new image's id.
    [[nodiscard]] std::string commit(const std::string& reference, const CommitOptions& options);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace compose
