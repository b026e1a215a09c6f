// The root of a container that does not run, with its volumes in their places. The mounts are made in a mount namespace
// of a thread that exists for nothing else, so that nobody else on the host sees them, and end with it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sys/disk.hpp"
#include "sys/fd.hpp"

namespace compose::sys {

struct RootLayout {
    std::vector<std::string> lower;  // folders, topmost first
    std::string upper, work;
    Disk disk;          // that these two are on
    std::string place;  // an existing folder of ours, hidden by the mount inside that namespace
    bool read_only = false;
    struct Bind {
        std::string source, target;
        bool read_only = false;
    };
    std::vector<Bind> binds;  // outer ones first; targets are looked up inside the root, and made when missing
};

class PrivateRoot {
public:
    explicit PrivateRoot(const RootLayout& layout);
    ~PrivateRoot();
    PrivateRoot(const PrivateRoot&) = delete;
    PrivateRoot& operator=(const PrivateRoot&) = delete;
    /// For openat2 and friends from any thread; ".." of it leads nowhere with RESOLVE_IN_ROOT.
    [[nodiscard]] FdRef root() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// The root of process `pid` as that process sees it; nothing when it is gone.
[[nodiscard]] Fd open_root_of(int pid);

}  // namespace compose::sys
