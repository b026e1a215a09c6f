// A command's end of the control socket. One Client, one thread; open several for requests in parallel.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "runtime/spec.hpp"
#include "store/layout.hpp"
#include "store/records.hpp"
#include "sys/fd.hpp"

namespace compose::supervisor {

/// A probe over the container's network, made by the supervisor.
struct NetProbeConfig {
    enum class Kind { tcp, http };
    Kind kind = Kind::tcp;
    std::string host = "127.0.0.1";  // an address
    std::uint16_t port = 0;
    std::string path = "/";  // http
};

/// How health is probed; stored with the container as JSON.
struct HealthConfig {
    std::vector<std::string> command;   // ready to exec: ["/bin/sh", "-c", "..."] for CMD-SHELL
    std::optional<NetProbeConfig> net;  // instead of a command
    std::chrono::nanoseconds interval{std::chrono::seconds(30)};
    std::chrono::nanoseconds timeout{std::chrono::seconds(30)};
    std::chrono::nanoseconds start_period{0};
    std::chrono::nanoseconds start_interval{std::chrono::seconds(5)};
    int retries = 3;
};
[[nodiscard]] std::string to_json(const HealthConfig& config);
[[nodiscard]] HealthConfig health_from_json(std::string_view text);

/// A change of one container.
struct StateChange {
    std::string id;
    store::ContainerState state = store::ContainerState::created;
    store::Health health = store::Health::none;
    int exit_code = 0;
    int restart_count = 0;
    bool removed = false;  // forgotten: it was removed
};

struct ExecRequest {
    std::string container_id;
    runtime::ProcessSpec process;  // env: only what is added to the container's own
    bool detach = false;
};

class Client {
public:
    /// Nothing when no supervisor runs for the project.
    [[nodiscard]] static std::optional<Client> connect(const store::Layout& layout, const std::string& project);
    /// Starts keeper and supervisor first when there is none; returns once it listens. Two callers at once get the
    /// same.
    [[nodiscard]] static Client connect_or_spawn(const store::Layout& layout, const std::string& project);

    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;
    ~Client();

    /// Requests that wait for what a container does (stop, restart, kill, take_ports, wait_exec) end with an Error of
    /// exit code 130 as soon as `token` asks for it. What the supervisor has begun goes on.
    void cancel_with(std::stop_token token);

    /// Starts a container that is not running: its host ports are taken, its network is connected. No error when it
    /// runs. Throws Error with exit_code 125 to 127 and Docker's words when the command can't be run.
    void start(const std::string& id);
    /// As start(), but `stdio` (3 descriptors) become the process's 0, 1, 2 and nothing is logged; when the container
    /// has a terminal, its master is the result and they are not used. Conflict when it runs already.
    [[nodiscard]] sys::Fd start_attached(const std::string& id, const std::vector<sys::FdRef>& stdio);
    /// Signals the container, waits up to `timeout` (nothing: the container's own; negative: for ever), then kills. It
    /// is marked as stopped by the user: no restart policy applies. Returns when it is down.
    void stop(const std::string& id, std::optional<std::chrono::nanoseconds> timeout, int signal = 0);
    void kill(const std::string& id, int signal);
    /// Stop (when running) and start again.
    void restart(const std::string& id, std::optional<std::chrono::nanoseconds> timeout);
    /// Freezes and thaws its cgroup. Conflict when it does not run, or is so already.
    void pause(const std::string& id);
    void unpause(const std::string& id);
    /// Its rows were changed: name, restart policy, endpoints.
    void refresh(const std::string& id);
    /// Its host ports pass from one running container to another, which takes its place; no connection is refused
    /// meanwhile. Returns when those that the old one has are over, or after a second. Conflict when `id` does not run.
    void take_ports(const std::string& id, const std::string& from);
    /// The standard streams of its process, shared with its log and with everybody else who is attached. Without a
    /// terminal `in` is empty unless it was made with an open standard input; with one, `in` is the master: write only.
    struct Streams {
        sys::Fd in, out, err;
        bool terminal = false;
    };
    [[nodiscard]] Streams attach(const std::string& id, bool input);
    /// Attached before it runs. `input`: its standard input ends when `in` is closed.
    [[nodiscard]] Streams start_listening(const std::string& id, bool input);
    /// The supervisor forgets it: kills it when it still runs, frees its network, cgroup and ports. The caller removes
    /// rows and folders afterwards.
    void forget(const std::string& id);

    /// Runs a command in a container. `stdio` (3 descriptors) become its 0, 1, 2; with a terminal the result carries
    /// the pty's master instead. wait_exec() blocks for the exit code.
    struct Exec {
        std::uint64_t exec_id = 0;
        sys::Fd terminal;
    };
    [[nodiscard]] Exec exec(const ExecRequest& request, const std::vector<sys::FdRef>& stdio);
    [[nodiscard]] int wait_exec(std::uint64_t exec_id);
    /// Sends a signal to the exec'd process (from any other Client).
    void signal_exec(std::uint64_t exec_id, int signal);

    /// Current states of all its containers first, then every change. Use a Client of its own: it is the only thing
    /// that client does. next() returns nothing when `timeout` runs out or the supervisor is gone (then closed() is
    /// true).
    void subscribe();
    [[nodiscard]] std::optional<StateChange> next(std::optional<std::chrono::milliseconds> timeout);
    [[nodiscard]] bool closed() const;
    /// For poll(2) beside other descriptors.
    [[nodiscard]] sys::FdRef fd() const;

private:
    struct Impl;
    explicit Client(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace compose::supervisor
