// What parent and child tell each other over the launch channel, a close-on-exec SOCK_SEQPACKET pair.
//
//   parent → child   one byte:  kAttached (it is in its cgroups), kReleased (go on to exec)
//   child → parent   a Report:  failed | terminal (with the master) | started (with a pidfd) | mounted | about_to_exec,
//   end of file
#pragma once

#include <cstdint>

namespace compose::runtime {

inline constexpr char kAttached = 'a';
inline constexpr char kReleased = 'r';

/// What an errno can't say.
enum class Detail : std::uint32_t {
    none,
    not_a_real_directory,
    kernel_tree,   // a mount target that turned out to lie in /proc or /sys
    is_the_root,   // a mount target that turned out to be /
    type_differs,  // a file onto a directory, or the reverse
    changed_meanwhile,
    not_a_regular_file,
    too_large,
    no_user,
    no_group,
    no_additional_group,
    too_many_groups,
    outside_root,  // the working directory
    interpreter_missing,
    not_null,  // the container's /dev/null is something else
    not_a_terminal,
    no_profile,
    hook_failed,  // with a status
    hook_slow,
    count
};

struct Report {
    enum class Kind : std::uint32_t { failed = 1, terminal, started, about_to_exec, mounted };
    Kind kind{};
    std::uint32_t op = 0;
    std::int32_t error = 0;
    Detail detail = Detail::none;
    std::int64_t value = 0;  // started: the pid; no_additional_group: which one; hook_failed: the status
};

}  // namespace compose::runtime
