// Starting this program again: as a daemon of its own, or as a child of one. The program's file is taken through a
// private read-only mount, so that no container can ever write to it by way of /proc/PID/exe, and so that removing or
// replacing the file on disk changes nothing for those that run.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <vector>

#include "sys/fd.hpp"

namespace compose::sys {

/// This program's own file: a detached, read-only mount of it, or the plain file where mounts are refused.
[[nodiscard]] Fd open_own_image();

/// The new program finds `image` at descriptor 3 and `passed` from 4 on; 0, 1 and 2 are /dev/null, everything else is
/// closed; signals are at their defaults and blocked; the environment is empty.
struct OwnStart {
    FdRef image;
    std::vector<std::string> arguments;  // argv
    std::vector<FdRef> passed;           // an empty one leaves its number closed
};
inline constexpr int kOwnImageFd = 3;
inline constexpr int kFirstPassedFd = 4;

/// As the leader of a session of its own and a child of init; returns when it was started. Safe in programs with
/// threads.
void spawn_detached(const OwnStart& start);

/// As a child, without allocating: everything is prepared before. Returns the pid, or -errno.
class PreparedStart {
public:
    explicit PreparedStart(const std::vector<std::string>& arguments);
    [[nodiscard]] pid_t spawn(FdRef image, std::span<const int> passed) noexcept;

private:
    std::vector<std::string> text_;
    std::vector<char*> argv_;
};

}  // namespace compose::sys
