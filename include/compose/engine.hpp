// The engine: what a front end can ask for. It never prints, prompts or exits; progress goes to an EventSink, failures
// come as Error. One Engine per command; its functions block and may be cancelled through a stop token.
#pragma once

#include <chrono>
#include <compose/events.hpp>
#include <compose/project.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace compose {

struct EngineOptions {
    std::string state_dir;  // empty: /var/lib/compose
    std::string run_dir;    // empty: /run/compose
    std::string command;    // for the project lock's holder: "compose up -d"
    int parallel = 8;       // worker threads
    bool dry_run = false;   // tell what would be done to containers, and do nothing
};

struct UpOptions {
    std::vector<std::string> services;  // empty: all; dependencies are added unless no_deps
    bool start = true;                  // false: only create
    bool no_deps = false;
    bool force_recreate = false;
    bool no_recreate = false;
    bool always_recreate_deps = false;
    bool renew_anon_volumes = false;
    bool remove_orphans = false;
    bool ignore_orphans = false;
    bool all_resources = false;  // networks and volumes that no service uses are made too
    std::map<std::string, int> scale;
    std::optional<Nanoseconds> timeout;  // for stopping what is replaced
    bool wait = false;                   // until running or healthy
    std::string await_for;               // a service that is not started here: what it depends on is waited for
    bool rerun = false;                  // start one-shots that have completed again
    bool rerun_unawaited = false;        // those of them that nobody depends on
    std::int64_t begun = 0;              // what was started since (nanoseconds since 1970) is this command's own work
    std::optional<std::chrono::seconds> wait_timeout;
    bool dry_run = false;
    std::string pull;         // --pull: empty, always, missing, never, build
    bool build = false;       // images with a `build` are built anew
    bool no_build = false;    // what is not here is an error
    bool quiet_pull = false;  // no events of layers
    bool quiet_build = false;
    std::set<std::string> recreate_volumes;  // names: made anew, and empty, where their definition has changed
};

struct DownOptions {
    std::vector<std::string> services;  // empty: all
    bool volumes = false;
    std::string images;  // "local": those that were built here; "all": every image of a service
    bool remove_orphans = false;
    std::optional<Nanoseconds> timeout;
    bool dry_run = false;
};

struct Publisher {
    std::string url;  // "0.0.0.0", "127.0.0.1"
    std::uint16_t target = 0;
    std::uint16_t published = 0;  // 0: not published (exposed only)
    std::string protocol;
};

/// One container as `ps` shows it. Times are nanoseconds since 1970, 0 for never.
struct ContainerView {
    std::string id, name, project, service, image, command;
    int number = 0;
    bool oneoff = false;
    std::string state;   // created, running, restarting, exited, dead
    std::string status;  // "Up 3 minutes (healthy)", "Exited (1) 2 hours ago"
    std::string health;  // empty, starting, healthy, unhealthy
    std::string cause;   // what ended it against its will: "out of memory", "SIGSEGV"; else empty
    int exit_code = 0;
    int pid = 0;
    int restart_count = 0;
    std::int64_t created_at = 0, started_at = 0, finished_at = 0;
    std::vector<Publisher> publishers;
    Labels labels;
    std::vector<std::string> networks;
    std::vector<std::string> mounts;
    std::string log_path;
    std::map<std::string, std::string>
        log_details;  // beside each of its lines: see the logging options labels, env, tag
};

struct ImageView {
    std::string id;          // "sha256:..."
    std::string repository;  // "debian", "registry/x"; "<none>" when untagged
    std::string tag;
    std::int64_t size = 0;
    std::int64_t created_at = 0;
};

struct ExecOptions {
    std::string container_id;
    std::vector<std::string> command;
    std::vector<std::string> environment;  // "K=V"
    std::string user;                      // empty: the container's
    std::string working_dir;
    bool privileged = false;
    bool terminal = false;
    std::uint16_t rows = 0, columns = 0;
    bool detach = false;
};

/// A command running in a container. Without a terminal its standard streams are the three descriptors given to exec().
class ExecSession {
public:
    virtual ~ExecSession() = default;
    /// The pty's master, owned by the session; -1 without a terminal.
    [[nodiscard]] virtual int terminal() const = 0;
    [[nodiscard]] virtual int wait() = 0;  // the exit code
    virtual void signal(int number) = 0;   // from any thread
};

/// A change of a container while subscribed.
struct ContainerChange {
    std::string id;
    std::string state;
    std::string health;
    int exit_code = 0;
    bool removed = false;
};

class Subscription {
public:
    virtual ~Subscription() = default;
    /// Nothing after `timeout`, or when there is no supervisor any more (then ended() is true).
    [[nodiscard]] virtual std::optional<ContainerChange> next(std::chrono::milliseconds timeout) = 0;
    [[nodiscard]] virtual bool ended() const = 0;
    [[nodiscard]] virtual int fd() const = 0;  // for poll(2)
};

/// One thing that up() would do, for people: what, to what, why.
struct PlannedChange {
    enum class Kind { create, replace, remove, start, restart, fetch, ask, compare, update };
    Kind kind = Kind::create;
    std::string object;                // "Container p-web-1"
    std::string cause;                 // "config changed"
    std::vector<std::string> details;  // field by field: "environment.A: \"1\" -> \"2\""
};

class Engine {
public:
    Engine(EngineOptions options, EventSink& events);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Creates what is missing, recreates what differs, starts in dependency order, waits where asked. What comes back
    /// has the variables that providers and models gave in the environments of the services that get them, and the
    /// providers among the disabled services: with it, nobody is asked again.
    Project up(const Project& project, const UpOptions& options, std::stop_token cancel = {});
    /// The plan of up() as text, one action a line; nothing is changed.
    [[nodiscard]] std::vector<std::string> plan_up(const Project& project, const UpOptions& options);
    /// The same as changes, each with its reasons.
    [[nodiscard]] std::vector<PlannedChange> plan_changes(const Project& project, const UpOptions& options);
    /// Fetches and builds the images that up() would, and makes nothing of them.
    void prepare(const Project& project, const UpOptions& options, std::stop_token cancel = {});
    /// Names of the project's own volumes that up() would keep though the file defines them otherwise by now.
    [[nodiscard]] std::vector<std::string> changed_volumes(const Project& project, const UpOptions& options);
    /// Works from the state alone; `project` (may be null) tells external from own resources.
    void down(const std::string& name, const Project* project, const DownOptions& options, std::stop_token cancel = {});

    /// Existing containers of the services (empty: all). Orders by dependency, from the containers' labels; which
    /// dependencies are optional only `file` (may be null) knows.
    void start(const std::string& project, const std::vector<std::string>& services, std::stop_token cancel = {},
               const Project* file = nullptr);
    /// And waits until they are running, or healthy, at most `timeout`.
    void start_and_wait(const std::string& project, const std::vector<std::string>& services,
                        std::optional<std::chrono::seconds> timeout, std::stop_token cancel = {},
                        const Project* file = nullptr);
    /// With `file` what programs of the host provide stops too, in its place.
    void stop(const std::string& project, const std::vector<std::string>& services, std::optional<Nanoseconds> timeout,
              std::stop_token cancel = {}, const Project* file = nullptr);
    void restart(const std::string& project, const std::vector<std::string>& services,
                 std::optional<Nanoseconds> timeout, bool no_deps, std::stop_token cancel = {});
    void kill(const std::string& project, const std::vector<std::string>& services, int signal);

    /// Containers of a project, sorted by name; all states. An unknown project has none.
    [[nodiscard]] std::vector<ContainerView> containers(const std::string& project);
    [[nodiscard]] std::unique_ptr<ExecSession> exec(const std::string& project, const ExecOptions& options, int in,
                                                    int out, int err);
    /// Does a command change the project right now? What has ended may be about to start again.
    [[nodiscard]] bool is_at_work(const std::string& project);
    /// Null when no supervisor runs (nothing runs then).
    [[nodiscard]] std::unique_ptr<Subscription> subscribe(const std::string& project);

    /// A root file system as a tar stream (plain, gzip, zstd) becomes an image of one layer. Returns its id.
    std::string import_image(int fd, const std::string& reference, const std::vector<std::string>& changes,
                             const std::string& message);
    [[nodiscard]] std::vector<ImageView> images();
    /// By name or id. Returns what was done: "Untagged: x", "Deleted: sha256:...".
    std::vector<std::string> remove_image(const std::string& reference, bool force);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace compose
