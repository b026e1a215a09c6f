// Before containers are made: fetch and build the images that they need, several at a time.
#pragma once

#include <compose/events.hpp>
#include <compose/project.hpp>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "plan/images.hpp"
#include "store/store.hpp"

namespace compose::engine {

struct PrepareOptions {
    std::vector<std::string> services;  // empty: all
    ImagePolicy policy;                 // `now` is filled in
    bool quiet = false;                 // no events of layers
    bool quiet_build = false;           // no events of builds
    int parallel = 4;
    bool dry_run = false;  // tell what would be done; registries are asked for manifests only
};

/// What plan_images() says of the store as it is.
[[nodiscard]] std::vector<ImageAction> needed_images(store::Store& store, const Project& project,
                                                     const PrepareOptions& options);
/// Does it. Throws the first failure, after all have ended. Returns the names that stand for images afterwards, or
/// would.
std::set<std::string> prepare_images(store::Store& store, EventSink& events, const Project& project,
                                     const PrepareOptions& options, const std::stop_token& cancel);
/// Pulls, side by side; each worker opens the store for itself. Failures of optional ones become warnings, the others
/// one ProjectError. Appends to `to_build` what could not be pulled but can be built.
void run_pulls(const store::Layout& layout, EventSink& events, const Project& project,
               const std::vector<ImageAction>& actions, const PrepareOptions& options, const std::stop_token& cancel,
               std::vector<ImageAction>& to_build);

}  // namespace compose::engine
