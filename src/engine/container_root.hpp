// The files of one container, whether it runs or not: as its processes see them, or merged anew.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/store.hpp"
#include "sys/private_root.hpp"

namespace compose::engine {

class ContainerRoot {
public:
    /// `volumes` off: what the image and the container itself have, and nothing that is mounted there. Keeps the
    /// project locked while the root of a container that does not run is open.
    ContainerRoot(const store::Layout& layout, const store::Container& row, bool volumes, const std::string& command);
    [[nodiscard]] sys::FdRef get() const;
    /// Throws conflict when what is written to `path` could not last: in a tmpfs of a container that does not run.
    void check_lasting(const std::string& path) const;

private:
    std::vector<std::string> absent_;  // targets of its tmpfs mounts, which are there while it runs
    sys::Fd live_;
    std::optional<store::ProjectLock> lock_;
    std::optional<sys::PrivateRoot> merged_;
};

}  // namespace compose::engine
