// Devices by name, as the Container Device Interface describes them: which files in /etc/cdi and /var/run/cdi define
// "vendor.com/class=name", and what a container gets for it.
#pragma once

#include <compose/service.hpp>
#include <string>
#include <vector>

#include "engine/cdi_edits.hpp"

namespace compose::engine {

class CdiRegistry {
public:
    explicit CdiRegistry(std::vector<std::string> folders = {"/etc/cdi", "/var/run/cdi"});
    /// What `names` add. Throws Error(not_found) that lists what there is; Error(invalid) for a broken file that
    /// defines the wanted kind.
    [[nodiscard]] CdiEdits edits_for(const std::vector<std::string>& names) const;
    /// The names that requests of the `gpus` sort mean.
    [[nodiscard]] std::vector<std::string> names_for(const std::vector<DeviceRequest>& requests) const;

private:
    [[nodiscard]] bool knows(const std::string& kind) const;

    std::vector<std::string> folders_;
};

/// "vendor.com/class=name"
[[nodiscard]] bool is_cdi_name(const std::string& text);

}  // namespace compose::engine
