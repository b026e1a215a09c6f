// Shares of the processor's caches and of its memory bandwidth, which the kernel gives out through a file system of
// groups (resctrl, Intel RDT): each group has its schemata, and its processes.
#pragma once

#include <sys/types.h>

#include <string>

#include "runtime/spec.hpp"

namespace compose::runtime {

inline constexpr const char* kResctrl = "/sys/fs/resctrl";

/// Throws Error(unavailable) when the file system is not mounted at `root`.
void check_resctrl(const std::string& root = kResctrl);
/// Puts a process, and so what it will start, into the group of `share`. A named group that is there must have the same
/// schemata, and one that is to have none must be there; a group without a name is the container's own, made anew.
void join_resctrl(const CacheShare& share, const std::string& container_id, pid_t pid,
                  const std::string& root = kResctrl);
/// Removes the container's own group. No error when there is none.
void leave_resctrl(const std::string& container_id, const std::string& root = kResctrl);

}  // namespace compose::runtime
