// Making a container that is no replica: for `run`, and for containers made by hand.
#pragma once

#include <compose/containers.hpp>
#include <map>
#include <string>

#include "store/store.hpp"

namespace compose::engine {

/// The replica that it works for: its number, and its anonymous volumes, target -> name.
struct Beside {
    int number = 1;
    std::map<std::string, std::string> anonymous_volumes{};
    std::string hook{};  // which of the service's hooks it is; empty: none
};

/// The caller holds the project's lock. Networks and volumes of the service are made when they are missing.
[[nodiscard]] std::string make_one_off(store::Store& store, EventSink& events, const std::string& project_name,
                                       const Project& project, const std::string& service, const CreateOptions& options,
                                       const Beside& beside = {});

}  // namespace compose::engine
