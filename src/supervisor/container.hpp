// One container's life: down, launching, running, waiting for its restart. Every change is in the database before
// anyone hears of it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/cgroup.hpp"
#include "runtime/launcher.hpp"
#include "supervisor/container_options.hpp"
#include "supervisor/core.hpp"
#include "supervisor/device_hooks.hpp"
#include "supervisor/endpoints.hpp"
#include "supervisor/health_check.hpp"
#include "supervisor/host_ports.hpp"
#include "supervisor/listeners.hpp"
#include "supervisor/log_pump.hpp"
#include "supervisor/protocol.hpp"
#include "supervisor/restart.hpp"

namespace compose::supervisor {

enum class Phase { down, launching, running, waiting };

//                          down    launching  running  waiting (for its restart)
inline constexpr bool kCanBegin[] = {true, false, false, true};  // a new process may be made
inline constexpr bool kHasProcess[] = {false, true, true, false};
inline constexpr bool kIsActive[] = {false, true, true, true};  // the supervisor must stay for it

class Container {
public:
    /// Gets the answer to a request: nothing is success. A terminal's master comes only from start().
    using Done = std::function<void(const Failure* failure, sys::FdRef terminal)>;
    struct Hooks {
        std::function<void(const Container&)> changed;
        std::function<void(const std::string& id)> quiet;  // its last output was written, or the like
        std::function<void(const Container&)> ports_free;  // it has given up its host ports
    };

    Container(Core& core, Hooks hooks, store::Container row);
    ~Container();
    Container(const Container&) = delete;
    Container& operator=(const Container&) = delete;

    /// Finds out what became of it under an earlier supervisor, or before a reboot.
    void adopt(std::map<std::string, Held>& held, const std::vector<ChildExit>& exits);

    void start(std::vector<sys::Fd> stdio, Done done);
    /// `signal`: 0 for its own.
    void stop(std::optional<std::chrono::nanoseconds> timeout, Done done, int signal = 0);
    void kill(int signal, Done done);
    void restart(std::optional<std::chrono::nanoseconds> timeout, Done done);
    void forget(Done done);
    /// Throw Error when it is not in the state for it.
    void pause();
    void unpause();
    /// Does it share the network or IPC of the container of that name? Only what was made for a project says so:
    /// whoever looks into a container by hand is left alone.
    [[nodiscard]] bool shares_with(const std::string& name) const;
    /// It runs, in a namespace that the other one, which runs too, has left by a restart.
    [[nodiscard]] bool was_left_by(const Container& owner) const;
    /// Its name or restart policy has changed in the database.
    void refresh();

    // One container takes the place of another of the same service and number while both run: it starts without the
    // host ports that the other has. See container_ports.cpp.
    /// The other's ports are its own from here on. Throws Error(conflict) when it does not run.
    void take_ports(Container& from);
    /// Answers when the connections to the ports that it has given away are over, or soon.
    void drain(Done done);
    [[nodiscard]] bool is_in_place_of(const Container& other) const;
    /// Takes those that it started without, if it runs and nobody has them. Never throws.
    void take_missing_ports() noexcept;

    /// A client's ends of its process's standard streams. Throws Error when they can't be shared.
    struct Ends {
        sys::Fd in, out, err;
        bool terminal = false;
    };
    [[nodiscard]] Ends attach(bool input);
    /// For a start to come: its output goes to the result too. `input`: so does its input come from there, and ends
    /// with it. With a terminal `in` is known once it runs (see terminal_input()).
    [[nodiscard]] Ends prepare_attach(bool input);
    [[nodiscard]] sys::Fd terminal_input() const;

    [[nodiscard]] StateChange change() const;
    [[nodiscard]] bool active() const {
        return kIsActive[static_cast<int>(phase_)] || pump_.has_value() || !listeners_.empty() || device_hooks_.busy();
    }
    [[nodiscard]] bool forgotten() const { return forgotten_; }
    [[nodiscard]] Phase phase() const { return phase_; }
    /// For a command in it. Throws Error when it does not run.
    [[nodiscard]] runtime::ExecTarget exec_target() const;
    [[nodiscard]] const store::Container& row() const { return row_; }

private:
    // container_launch.cpp
    void begin(bool by_hand);
    void launch();
    void note_facts(const runtime::ContainerSpec& spec);
    runtime::JoinTargets find_joins(runtime::ContainerSpec& spec, std::vector<sys::Fd>& held) const;
    runtime::Stdio make_stdio(const runtime::ContainerSpec& spec);
    void on_channel();
    void let_go();
    void run_hooks(const std::vector<std::string>& stages, const char* status, DeviceHooks::Done done);
    void run_create_hooks();
    void on_poststop_over();
    void on_running();
    void on_launch_failed(const Failure& failure);
    void begin_health(store::Health known);
    void on_health(store::Health state);
    void read_options();
    void take_ports_unless_held(std::vector<PortWish> wishes);
    void look_at_connections();
    void start_pump(OutputLog::Source source);
    void adopt_process(std::map<std::string, Held>& held, const std::vector<ChildExit>& exits);
    void adopt_log(std::map<std::string, Held>& held);
    void adopt_dead();
    [[nodiscard]] bool left_something(const std::map<std::string, Held>& held);
    // container.cpp
    void on_exit(const ChildExit& exit);
    void after_exit(std::chrono::nanoseconds ran);
    void wait_for_restart(std::chrono::nanoseconds delay);
    void consider_removal();
    void clean_up_process(bool keep_ports);
    void close_log();
    void signal_stop(std::optional<std::chrono::nanoseconds> timeout, int signal = 0);
    void kill_all();
    void on_unkillable();
    void open_input(const runtime::ContainerSpec& spec, runtime::Stdio& stdio);
    void save();
    void tell();
    void record(const std::string& action, std::map<std::string, std::string> attributes = {});
    void answer(std::vector<Done>& waiting, const Failure* failure, sys::FdRef terminal = {});
    [[nodiscard]] runtime::Cgroup& cgroup();
    [[nodiscard]] std::string keeper_name(const char* what) const { return row_.id + "/" + what; }

    Core& core_;
    Hooks hooks_;
    store::Container row_;  // without the spec
    std::string cgroup_parent_;
    std::optional<runtime::Cgroup> cgroup_;
    Phase phase_ = Phase::down;
    std::string network_of_, ipc_of_;  // names of containers
    RestartPolicy policy_;
    ContainerOptions options_;
    RestartHistory history_;
    sys::MonotonicTime started_{};

    std::optional<runtime::Launch> launch_;
    DeviceHooks device_hooks_;
    bool hooked_ = false;            // its first hooks run, or have run
    std::vector<sys::Fd> attached_;  // given by the one who starts it
    sys::Fd pidfd_;
    sys::Fd terminal_pipe_;  // into the log, until the terminal is there
    HostPorts ports_;
    Endpoints endpoints_;
    sys::Fd input_;  // what its standard input is written to, while it is kept open
    struct Given {
        sys::Fd in, out, err;  // the process's side of what prepare_attach() gave away
        bool input;
    };
    std::optional<Given> given_;
    Listeners listeners_;
    std::optional<LogPump> pump_;
    std::optional<HealthCheck> health_;

    bool unhealthy_ = false;         // it is stopped to start again because of its health
    sys::EventLoop::Watch removal_;  // of a container that is not to stay once it has ended
    bool stop_requested_ = false;    // its next exit is wanted
    bool start_requested_ = false;   // and after it, it starts again
    bool forget_requested_ = false;
    bool interrupted_ = false;  // found half started: its end is no end, but the time to start again
    bool forgotten_ = false;
    std::vector<Done> starting_, stopping_, draining_;
    std::set<std::uint16_t> given_ports_;  // of the container, to be drained
    sys::MonotonicTime drain_until_{};

    sys::EventLoop::Watch channel_;
    sys::EventLoop::Watch grace_;    // until it is killed
    sys::EventLoop::Watch restart_;  // until it starts again
    sys::EventLoop::Watch linger_;   // until its output is given up
    sys::EventLoop::Watch drain_;    // until its connections are looked at again
};

}  // namespace compose::supervisor
