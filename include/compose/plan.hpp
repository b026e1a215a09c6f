// What must be done, as a value: a graph of actions, each with its cause and with what it has to wait for. Planners are
// pure functions; nothing here touches the host. `to_text` is what tests compare.
#pragma once

#include <compose/diagnostics.hpp>
#include <compose/engine.hpp>
#include <compose/error.hpp>
#include <compose/events.hpp>
#include <compose/observed.hpp>
#include <compose/project.hpp>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace compose {

/// A container by its final name; `id` is empty when the same plan makes it.
struct ContainerRef {
    std::string name;
    std::string id;
};

struct CreateNetwork {  // also repairs one whose bridge is missing
    std::string key;
    std::string name;
};
struct RemoveNetwork {
    std::string name;
    std::string id;
};
/// In one step that is done or not done: another one takes its place, also for the containers on it. None of them runs.
struct RecreateNetwork {
    std::string key;
    std::string name;
    std::string id;  // of the one that goes
};
/// Only its labels are other ones.
struct UpdateNetwork {
    std::string key;
    std::string name;
    std::string id;
};
struct CreateVolume {
    std::string key;
    std::string name;
};
struct RemoveVolume {
    std::string name;
};
struct CreateContainer {
    std::string service;
    int number = 1;
    std::string name;            // the final one
    std::string temporary_name;  // the one to be made under, when the final one is still taken; else empty
    std::string replaces;        // name of the container that it replaces, or empty
    std::map<std::string, std::string> inherited_volumes;  // anonymous: target -> volume name
};
struct RenameContainer {
    ContainerRef container;
    std::string from;
    bool replaces = false;  // the last step of a replacement
};
struct StartContainer {
    ContainerRef container;
    std::string service;
};
struct StopContainer {
    ContainerRef container;
    std::optional<Nanoseconds> timeout;
    bool replaced = false;  // a step of a replacement, not shown by itself
};
struct RestartContainer {
    ContainerRef container;
    std::optional<Nanoseconds> timeout;
};
struct RemoveContainer {
    ContainerRef container;
    bool volumes = false;   // its anonymous ones too
    bool replaced = false;  // as in StopContainer
    bool kill = false;      // it may still run: one step where no time to stop is given
};
struct WaitContainer {
    enum class Until {
        healthy,    // depends_on: service_healthy
        completed,  // depends_on: service_completed_successfully
        ready,      // --wait: running, healthy if it has a health check, or exited with 0
    };
    ContainerRef container;
    std::string service;
    Until until = Until::ready;
    bool required = true;       // false: a failure is a warning
    Nanoseconds monitor{0};     // it must stay so for this long
    std::size_t tolerated = 0;  // so many failures of the service's waits are but warnings
};
/// A program of the host is asked for what a service without containers gives to its dependents.
struct RunProvider {
    std::string service;
    bool required = true;  // false: a failure is a warning, and there are no variables
};
struct EndProvider {
    enum class Verb { stop, down };
    std::string service;
    Verb verb = Verb::down;
};
/// A model is fetched and made ready; its address is known then.
struct PrepareModel {
    std::string key;
};
/// Is a container that stays still what the file asks for, now that its providers and models have said their
/// variables? Where it is not, what is left of the plan is void.
struct CheckVariables {
    ContainerRef container;
    std::string service;
};
/// Between the batches of a rolling update.
struct Delay {
    std::string service;
    Nanoseconds time{0};
};

using Action =
    std::variant<CreateNetwork, RemoveNetwork, RecreateNetwork, UpdateNetwork, CreateVolume, RemoveVolume,
                 CreateContainer, RenameContainer, StartContainer, StopContainer, RestartContainer, RemoveContainer,
                 WaitContainer, RunProvider, EndProvider, PrepareModel, CheckVariables, Delay>;

struct Plan {
    struct Node {
        Action action;
        std::string cause;               // "config changed"; empty when the action explains itself
        std::vector<std::size_t> after;  // indices of nodes that must be done before
    };
    std::vector<Node> nodes;
    std::vector<Event> notes;  // to be told before the first action: warnings, containers that are fine as they are
};

/// Findings that need the observed state: images, ports, names. what() is the first; positions point into the sources
/// of the Diagnostics that the project was loaded with.
class ProjectError : public Error {
public:
    explicit ProjectError(std::vector<Diagnostic> findings, ErrorKind kind = ErrorKind::invalid);
    [[nodiscard]] const std::vector<Diagnostic>& findings() const noexcept { return findings_; }

private:
    std::vector<Diagnostic> findings_;
};

/// Throws ProjectError when the plan would be bound to fail; nothing has been done then.
[[nodiscard]] Plan plan_up(const Project& project, const ObservedState& observed, const UpOptions& options);
/// After `failed`, a plan of plan_up(), went wrong half-way: where an update is to be rolled back, the containers that
/// it made go, and those that they were to replace run again, as deploy.rollback_config says.
[[nodiscard]] Plan plan_rollback(const Project& project, const Plan& failed, const ObservedState& observed);
/// `project` (may be null) tells services that are still in the file from orphans, and external volumes and networks;
/// and which programs of the host are to be told.
[[nodiscard]] Plan plan_down(const Project* project, const ObservedState& observed, const DownOptions& options);
/// `wait`: until all of them are running, or healthy. `project` (may be null) says which dependencies are optional.
[[nodiscard]] Plan plan_start(const ObservedState& observed, const std::vector<std::string>& services,
                              bool wait = false, const Project* project = nullptr);
/// `project` (may be null) names the providers that stop too.
[[nodiscard]] Plan plan_stop(const ObservedState& observed, const std::vector<std::string>& services,
                             std::optional<Nanoseconds> timeout, const Project* project = nullptr);
[[nodiscard]] Plan plan_restart(const ObservedState& observed, const std::vector<std::string>& services,
                                std::optional<Nanoseconds> timeout, bool no_deps);

/// "CreateContainer p-web-1", "WaitHealthy p-db-1", ...
[[nodiscard]] std::string to_string(const Action& action);
/// One action a line in an order in which they could be done:
/// "CreateContainer p-web-1 [config changed] after CreateNetwork p_default".
[[nodiscard]] std::vector<std::string> to_text(const Plan& plan);

/// The hash without what providers and models added to it: "base+variables".
[[nodiscard]] std::string base_hash(const std::string& config_hash);

/// The services and all that they depend on; all of the project when `services` is empty.
[[nodiscard]] std::vector<std::string> with_dependencies(const Project& project,
                                                         const std::vector<std::string>& services);

}  // namespace compose
