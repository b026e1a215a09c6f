// The value types that a service is made of and that need a page of their own: builds, files, devices, limits, hooks,
// watch rules and deployment.
#pragma once

#include <chrono>
#include <compose/diagnostics.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace compose {

using Labels = std::map<std::string, std::string>;
using Nanoseconds = std::chrono::nanoseconds;

/// A config or secret as one service sees it.
struct FileGrant {
    std::string source;  // key of Project::configs or Project::secrets
    std::string target;  // empty: the source's name; relative: below / (configs) or /run/secrets (secrets)
    std::string uid;     // empty: 0
    std::string gid;
    std::optional<unsigned> mode;  // unset: 0444
    SourcePos pos;
};

struct BuildConfig {
    std::string context;            // absolute folder, or an address (git, tar); empty only with dockerfile_inline
    std::string dockerfile;         // as written; relative ones count from the context
    std::string dockerfile_inline;  // exclusive with dockerfile
    std::map<std::string, std::optional<std::string>> args;  // nothing: neither given nor in the environment
    std::string target;
    std::vector<std::string> tags;
    Labels labels;
    std::vector<std::string> platforms;
    std::string network;  // empty: default; none, host
    std::optional<std::int64_t> shm_size;
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> ulimits;  // soft, hard; -1: unlimited
    std::map<std::string, std::vector<std::string>> extra_hosts;
    std::map<std::string, std::string> additional_contexts;  // name -> folder, address, docker-image://, service:X
    std::vector<FileGrant> secrets;
    std::vector<std::string> ssh;  // "default" or "id=path"
    std::vector<std::string> cache_from;
    std::vector<std::string> cache_to;
    bool no_cache = false;
    std::vector<std::string> no_cache_filter;
    bool pull = false;
    bool privileged = false;
    std::vector<std::string> entitlements;
    std::string provenance;
    std::string sbom;
    std::string isolation;
    SourcePos pos;
};

struct DeviceMapping {
    std::string source;       // host path, or a CDI name ("vendor.com/class=name") when target is empty
    std::string target;       // path in the container
    std::string permissions;  // of r, w and m; empty: rwm
    SourcePos pos;
};

struct DeviceRequest {
    std::string driver;
    std::optional<std::int64_t> count;  // -1: all
    std::vector<std::string> device_ids;
    std::vector<std::string> capabilities;
    std::map<std::string, std::string> options;
    SourcePos pos;
};

struct Logging {
    std::string driver;  // empty: json-file
    std::map<std::string, std::string> options;
    SourcePos pos;
};

/// What the kernel's controllers are told beside mem_limit, cpus and pids_limit.
struct Limits {
    std::optional<std::int64_t> cpu_shares;
    std::optional<std::int64_t> cpu_quota;       // microseconds
    std::optional<std::int64_t> cpu_period;      // microseconds
    std::optional<std::int64_t> cpu_rt_runtime;  // microseconds
    std::optional<std::int64_t> cpu_rt_period;
    std::string cpuset;
    std::string cpuset_mems;                      // memory nodes; no Compose file has it
    std::optional<std::int64_t> mem_reservation;  // bytes
    std::optional<std::int64_t> memswap_limit;    // memory + swap; -1: unlimited
    std::optional<int> mem_swappiness;
    bool oom_kill_disable = false;
    std::optional<int> oom_score_adj;
    std::optional<int> blkio_weight;
    struct DeviceRate {
        std::string path;
        std::int64_t rate = 0;  // bytes or operations a second; a weight for weight_device
    };
    std::vector<DeviceRate> blkio_weight_device;
    std::vector<DeviceRate> device_read_bps;
    std::vector<DeviceRate> device_write_bps;
    std::vector<DeviceRate> device_read_iops;
    std::vector<DeviceRate> device_write_iops;
};

/// A command run in the container (post_start, pre_stop, sync+exec) or before it in one of its own (pre_start).
struct Hook {
    std::vector<std::string> command;
    std::string image;  // pre_start only; empty: the service's
    std::string user;
    bool privileged = false;
    bool per_replica = false;  // pre_start only
    std::string working_dir;
    std::map<std::string, std::optional<std::string>> environment;
    SourcePos pos;
};

struct WatchRule {
    enum class Action { rebuild, restart, sync, sync_restart, sync_exec };
    std::string path;  // absolute
    Action action = Action::rebuild;
    std::string target;  // of the sync actions
    Hook exec;           // of sync+exec
    std::vector<std::string> ignore;
    std::vector<std::string> include;
    bool initial_sync = false;
    SourcePos pos;
};

struct Deploy {
    std::string mode;  // empty: replicated; global, replicated-job, global-job
    [[nodiscard]] bool is_job() const { return mode == "replicated-job" || mode == "global-job"; }
    std::string endpoint_mode;
    Labels labels;
    struct Update {
        int parallelism = 1;  // 0: all at once
        Nanoseconds delay{0};
        std::string failure_action;  // empty: pause; continue, rollback
        Nanoseconds monitor{0};
        double max_failure_ratio = 0;
        std::string order;  // empty: stop-first; start-first
    };
    std::optional<Update> update;
    std::optional<Update> rollback;
    std::optional<Nanoseconds> restart_delay;
    std::optional<Nanoseconds> restart_window;
};

struct Provider {
    std::string type;
    std::map<std::string, std::vector<std::string>> options;
    SourcePos pos;
};

struct ModelUse {
    std::string model;         // key of Project::models
    std::string endpoint_var;  // empty: <NAME>_URL
    std::string model_var;     // empty: <NAME>
};

}  // namespace compose
