// The empty files and folders that a container's mounts need in its root, and that must not stay in the layer.
#pragma once

#include <string>
#include <vector>

#include "sys/fd.hpp"

namespace compose::engine {

class MountStubs {
public:
    /// Looks what of `targets` (absolute) is missing in the layers, before the container is made.
    MountStubs(const std::vector<std::string>& lowers, const std::vector<std::string>& targets);
    /// Removes from the upper folder what is missing below and still empty; and the copies of folders above, if they
    /// differ from what lies below in nothing but their time. No link in the folder is ever followed.
    void remove_from(sys::FdRef upper) const;

private:
    struct Above {
        std::string path;
        std::uint32_t owner, group, mode;
    };
    std::vector<std::string> missing_;  // deepest first
    std::vector<Above> above_;          // deepest first
};

}  // namespace compose::engine
