// What must hold on this machine before the first action of a plan: the checks that a pure planner can't make.
#pragma once

#include <compose/plan.hpp>

#include "store/store.hpp"

namespace compose::engine {

/// Throws ProjectError with everything that would make a creation fail: features that are not supported, bind sources
/// that are missing, names that containers of other projects have.
void check_creations(const Project& project, const Plan& plan, const store::Store& store);
/// Throws ProjectError when a program of the host has a port that a container is about to publish: better to know that
/// before anything is stopped.
void check_host_ports(const Project& project, const Plan& plan, const ObservedState& observed);
/// Throws ProjectError when an address that the file fixes lies outside of its network, or when a network that is made
/// anew has no place for a container that stays on it.
void check_network_places(const Project& project, const Plan& plan, store::Store& store);

}  // namespace compose::engine
