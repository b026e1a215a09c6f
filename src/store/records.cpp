#include "store/records.hpp"

namespace compose::store {

const char* to_string(ContainerState state) {
    switch (state) {
        case ContainerState::created:
            return "created";
        case ContainerState::running:
            return "running";
        case ContainerState::restarting:
            return "restarting";
        case ContainerState::exited:
            return "exited";
        case ContainerState::dead:
            return "dead";
        case ContainerState::paused:
            return "paused";
    }
    return "dead";
}

const char* to_string(Health health) {
    switch (health) {
        case Health::none:
            return "none";
        case Health::starting:
            return "starting";
        case Health::healthy:
            return "healthy";
        case Health::unhealthy:
            return "unhealthy";
    }
    return "none";
}

}  // namespace compose::store
