// plan_up in its steps. Each step is one file: select and decide (up_services), networks and volumes (up_resources),
// who stops because of them (up_disturbed), what would fail (up_checks), nodes and edges (up_nodes), rolling updates
// (up_update).
#pragma once

#include <compose/plan.hpp>

#include "plan/graph.hpp"

namespace compose::plan {

/// What becomes of one container.
struct Replica {
    enum class Fate {
        keep,     // is as it should be; started when it does not run
        create,   // is missing
        replace,  // differs: a new one takes its place
        remove,   // is too much
        bounce,   // is as it should be, but stops while something that it needs is replaced
    };
    Fate fate = Fate::keep;
    std::string cause;
    int number = 1;
    std::string name;                        // the final one
    const ObservedContainer* old = nullptr;  // null: create
    bool remove_first = false;               // replace: the old one goes before the new one is made
    bool rest = false;                       // keep: a one-shot that has done its work
    bool rename = false;                     // keep: it still has the temporary name of an interrupted replacement
    bool takes_over = false;                 // replace: it runs before the old one stops, and gets its host ports then

    // Nodes, once they are there.
    std::optional<std::size_t> stop, removed, created, renamed, ready, start, checked;

    [[nodiscard]] bool running() const {
        return old && (old->status == ObservedStatus::running || old->status == ObservedStatus::restarting ||
                       old->status == ObservedStatus::paused);
    }
    [[nodiscard]] bool stays() const { return fate != Fate::remove; }
    [[nodiscard]] bool made() const { return fate == Fate::create || fate == Fate::replace; }
    /// Will the plan start it?
    [[nodiscard]] bool starts() const { return stays() && !rest && (made() || fate == Fate::bounce || !running()); }
    [[nodiscard]] ContainerRef ref() const { return {name, made() || !old ? std::string{} : old->id}; }
    [[nodiscard]] ContainerRef old_ref() const { return {name, old->id}; }
};

inline constexpr const char* kInterrupted = "left by an interrupted replacement";

class UpPlanner {
public:
    UpPlanner(const Project& project, const ObservedState& observed, const UpOptions& options);
    Plan run();

private:
    // up_services.cpp
    void select();
    void decide_service(const std::string& name);
    void decide_orphans();
    void leave_hook(const ObservedContainer& container, bool exited);
    void let_completed_rest();
    std::string difference(const Service& service, const ObservedContainer& container) const;
    bool mounts_other_images(const Service& service, const ObservedContainer& container) const;
    std::string stale_source(const Service& service, const ObservedContainer& container) const;
    std::string renewed_namespace(const Service& service) const;
    std::vector<Replica> existing(const Service& service);
    std::map<int, const ObservedContainer*> heirs(const Service& service) const;
    int scale_of(const Service& service);
    bool targeted(const std::string& service) const;

    // up_resources.cpp
    void decide_networks();
    void decide_volumes();
    void select_users_of_changed_volumes();
    std::vector<const Network*> networks_of(const Service& service) const;
    std::vector<const Volume*> volumes_of(const Service& service) const;

    // up_disturbed.cpp
    void disturb();
    void clear_networks();
    void invite_users_of_networks();
    void invite_users_of_namespaces();
    void bounce_dependents();
    [[nodiscard]] std::string disturbance(const std::string& name) const;
    [[nodiscard]] const Replica* namespace_owner(const std::string& service) const;
    [[nodiscard]] std::string ended_namespace(const Service& service) const;
    [[nodiscard]] std::string changed_network_of(const ObservedContainer& container) const;
    [[nodiscard]] std::vector<const Replica*> replicas_of(const std::string& service) const;
    [[nodiscard]] bool is_decided(const ObservedContainer& container) const;
    void emit_guests();
    void order_guests();
    void order_joins();

    // up_checks.cpp
    void check_images();
    void check_health_conditions();
    void check_names();
    void check_addresses();
    void check_ports();
    [[noreturn]] void fail() { throw ProjectError(std::move(findings_), kind_); }
    void finding(SourcePos pos, std::string path, std::string message, std::string hint = {});

    // up_nodes.cpp
    void emit_resources();
    void emit_orphans();
    void emit_service(const std::string& name);
    void emit_replica(const Service& service, Replica& replica);
    void rename_left_over(const Service& service, Replica& replica);
    void emit_creation(const Service& service, Replica& replica);
    void emit_start(const Service& service, Replica& replica);
    void order_sources();
    void free_resources(const Replica& replica);
    void leave_networks(const Replica& replica);
    void order_stops();
    void order_port_takeovers();
    void emit_removal(Replica& replica, std::vector<Replica>& beside);
    [[nodiscard]] std::size_t emit_port_move(const ContainerRef& to, const ObservedContainer& from, bool required,
                                             std::optional<std::size_t> after);
    [[nodiscard]] bool holds_ports(const ObservedContainer& container) const;
    void wait_for_dependencies(const Service& service);
    void wait_for_all();
    void await_dependencies_of(const Service& service);
    std::size_t wait_node(Replica& replica, const std::string& service, WaitContainer::Until until, bool required);

    // up_providers.cpp
    [[nodiscard]] bool variables_come(const Service& service) const;
    [[nodiscard]] bool waits_for_containers(const std::string& provided) const;
    void emit_provider(const Service& service);
    void order_provided();
    void order_provided(const Service& service, const std::vector<std::size_t>& sources);

    // up_update.cpp
    void order_update(const Service& service);
    void order_batches(const Service& service, const std::vector<Replica*>& replaced,
                       const std::vector<std::size_t>& ready);
    [[nodiscard]] bool starts_first(const Service& service, Replica& replica);
    [[nodiscard]] std::string port_in_the_way(const Service& service, const Replica& replica) const;
    [[nodiscard]] std::size_t start_first(const Service& service, Replica& replica);
    [[nodiscard]] bool keeps_old(const Service& service, const Replica& replica) const;
    void stop_old(Replica& replica, std::size_t gate);
    void remove_old(Replica& replica, const std::vector<std::size_t>& ready);

    const Project& project_;
    const ObservedState& observed_;
    const UpOptions& options_;
    DependencyMap dependencies_;  // of active services
    std::set<std::string> selected_;
    std::vector<std::string> order_;  // selected, dependencies first
    std::map<std::string, std::vector<Replica>> replicas_;
    std::vector<Replica> orphans_, hooks_;  // to be removed
    std::vector<Replica> guests_;  // of services that are not selected, which stop and start because of what is
    std::set<std::string> changed_networks_, relabelled_networks_, changed_volumes_;  // names
    std::map<std::string, std::size_t> network_nodes_, volume_nodes_;                 // by name
    std::map<std::string, std::size_t> network_removals_, volume_removals_;
    std::map<std::string, std::size_t> provider_nodes_, model_nodes_;  // by service, by key
    std::map<std::tuple<std::string, WaitContainer::Until, bool>, std::size_t> waits_;
    std::vector<Diagnostic> findings_;
    ErrorKind kind_ = ErrorKind::invalid;
    PlanBuilder builder_;
};

/// The services whose namespaces it shares.
[[nodiscard]] std::vector<std::string> namespace_sources(const Service& service);

/// How many of so many containers may fail before deploy.update_config's failure_action is taken.
[[nodiscard]] std::size_t tolerated_failures(const Deploy::Update& update, std::size_t containers);

}  // namespace compose::plan
