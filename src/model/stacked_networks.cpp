#include "model/stacked_networks.hpp"

#include <algorithm>

namespace compose {

bool is_stacked_driver(std::string_view driver) {
    return driver == "macvlan" || driver == "ipvlan";
}

bool publishes_nothing(const Project& project, const Service& service) {
    const auto& own = service.networks;
    return !own.empty() && std::all_of(own.begin(), own.end(), [&](const NetworkAttachment& attachment) {
        const auto network = project.networks.find(attachment.network);
        return network != project.networks.end() &&
               (network->second.internal || is_stacked_driver(network->second.driver));
    });
}

}  // namespace compose
