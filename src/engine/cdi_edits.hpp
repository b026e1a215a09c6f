// What a CDI file wants to be changed in a container ("containerEdits"). Pure: reads a tree, looks at nothing else.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/node.hpp"
#include "runtime/host_hook.hpp"
#include "runtime/spec.hpp"

namespace compose::engine {

struct CdiEdits {
    std::vector<runtime::DeviceSpec> devices;
    std::vector<runtime::MountSpec> mounts;
    std::vector<std::string> environment;  // "K=V"
    std::vector<std::string> groups;       // numbers
    std::vector<runtime::HostHook> hooks;
    std::vector<runtime::NetDevice> net_devices;
    std::optional<runtime::CacheShare> cache_share;  // intelRdt
};

/// Adds what `edits` (a mapping, or nothing) say; `file` is for messages. Throws Error(invalid), with the line, for
/// what CDI does not know, and Error(unavailable) for what can't be done here.
void add_edits(const Node* edits, const std::string& file, CdiEdits& out);

}  // namespace compose::engine
