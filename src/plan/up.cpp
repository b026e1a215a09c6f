// plan_up: the steps in their order.
#include <algorithm>

#include "plan/up_planner.hpp"

namespace compose {
namespace plan {

UpPlanner::UpPlanner(const Project& project, const ObservedState& observed, const UpOptions& options)
    : project_(project), observed_(observed), options_(options) {}

Plan UpPlanner::run() {
    select();
    decide_networks();
    decide_volumes();
    select_users_of_changed_volumes();
    for (const std::string& name : dependency_order(dependencies_))
        if (selected_.contains(name)) order_.push_back(name);
    for (const std::string& name : order_) decide_service(name);
    decide_orphans();
    let_completed_rest();
    disturb();

    check_images();
    check_health_conditions();
    check_names();
    check_addresses();
    check_ports();
    if (!findings_.empty()) fail();

    emit_resources();
    emit_orphans();
    emit_guests();
    for (const std::string& name : order_) emit_service(name);
    order_guests();
    order_joins();
    order_sources();
    order_provided();
    order_stops();
    order_port_takeovers();
    if (options_.start)
        for (const std::string& name : order_) wait_for_dependencies(project_.services.at(name));
    if (options_.start && options_.wait) wait_for_all();
    if (const auto awaiting = project_.services.find(options_.await_for); awaiting != project_.services.end())
        await_dependencies_of(awaiting->second);
    return builder_.take();
}

}  // namespace plan

Plan plan_up(const Project& project, const ObservedState& observed, const UpOptions& options) {
    return plan::UpPlanner(project, observed, options).run();
}

}  // namespace compose
