// Who a process runs as: what "user: …" and "group_add: …" mean, and looking names up in the text of /etc/passwd and
// /etc/group. The look-up runs after clone, so it allocates nothing. It never opens a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/arena.hpp"

namespace compose::runtime {

/// A user or group as written: a number, or a name to be looked up.
struct IdOrName {
    const char* name = nullptr;  // null: `id` it is
    std::uint32_t id = 0;
};

struct UserQuery {
    IdOrName user;
    bool has_group = false;
    IdOrName group;
    Span<IdOrName> additional;
};

/// Throws Error(invalid) on a number that is no id: such a text must never be tried as a name, or an image could map it
/// to root.
[[nodiscard]] UserQuery parse_user(const std::string& user, const std::vector<std::string>& additional_groups,
                                   Arena& arena);

struct Identity {
    static constexpr std::size_t kMaxGroups = 1024;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint32_t groups[kMaxGroups];  // the supplementary ones; the primary group is among them
    std::size_t group_count = 0;
    std::string_view home;  // points into `passwd`; empty when there is no entry

    Identity() noexcept {}  // NOLINT: the groups need no zeroing
};

enum class UserProblem : std::uint8_t { none, no_user, no_group, no_additional_group, too_many_groups };

/// `index` is then the additional group that was not found.
[[nodiscard]] UserProblem look_up_user(const UserQuery& query, std::string_view passwd, std::string_view group,
                                       Identity& out, std::size_t& index) noexcept;

}  // namespace compose::runtime
