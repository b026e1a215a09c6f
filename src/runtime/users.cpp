#include "runtime/users.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/strings.hpp"

namespace compose::runtime {
namespace {

constexpr std::uint64_t kMaxId = 0x7fffffff;

bool is_number(std::string_view text) noexcept {
    if (text.empty()) return false;
    for (const char c : text)
        if (c < '0' || c > '9') return false;
    return true;
}

// Digits only. False when it does not fit an id.
bool read_id(std::string_view text, std::uint32_t& out) noexcept {
    std::uint64_t value = 0;
    for (const char c : text) {
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
        if (value > kMaxId) return false;
    }
    out = static_cast<std::uint32_t>(value);
    return true;
}

IdOrName parse_id(std::string_view text, const char* what, Arena& arena) {
    IdOrName result;
    if (text.empty()) throw make_error(ErrorKind::invalid, "empty {}", what);
    if (is_number(text)) {
        if (!read_id(text, result.id))
            throw make_error(ErrorKind::invalid, "{} {} is out of range: ids go from 0 to {}", what, text, kMaxId);
        return result;
    }
    if (text.front() == '-' || text.front() == '+' || text.find_first_of(":\n/ \t") != std::string_view::npos)
        throw make_error(ErrorKind::invalid, "{} is neither a {} name nor a number", quote(text), what);
    result.name = arena.text(text);
    return result;
}

// Cuts the text up to `separator` off the front of `rest`.
std::string_view next(std::string_view& rest, char separator) noexcept {
    const std::size_t end = rest.find(separator);
    const std::string_view head = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    return head;
}

struct PasswdEntry {
    std::string_view name, home;
    std::uint32_t uid = 0, gid = 0;
};

// name:password:uid:gid:comment:home:shell
bool parse_passwd_line(std::string_view line, PasswdEntry& out) noexcept {
    out.name = next(line, ':');
    next(line, ':');
    const std::string_view uid = next(line, ':');
    const std::string_view gid = next(line, ':');
    next(line, ':');
    out.home = next(line, ':');
    return !out.name.empty() && is_number(uid) && is_number(gid) && read_id(uid, out.uid) && read_id(gid, out.gid);
}

struct GroupEntry {
    std::string_view name, members;
    std::uint32_t gid = 0;
};

// name:password:gid:member,member
bool parse_group_line(std::string_view line, GroupEntry& out) noexcept {
    out.name = next(line, ':');
    next(line, ':');
    const std::string_view gid = next(line, ':');
    out.members = next(line, ':');
    return !out.name.empty() && is_number(gid) && read_id(gid, out.gid);
}

bool is_member(std::string_view members, std::string_view name) noexcept {
    while (!members.empty())
        if (next(members, ',') == name) return true;
    return false;
}

bool add_group(Identity& identity, std::uint32_t gid) noexcept {
    for (std::size_t i = 0; i < identity.group_count; ++i)
        if (identity.groups[i] == gid) return true;
    if (identity.group_count == Identity::kMaxGroups) return false;
    identity.groups[identity.group_count++] = gid;
    return true;
}

bool find_group(const IdOrName& wanted, std::string_view text, std::uint32_t& out) noexcept {
    if (wanted.name == nullptr) {
        out = wanted.id;
        return true;
    }
    GroupEntry entry;
    while (!text.empty()) {
        if (!parse_group_line(next(text, '\n'), entry) || entry.name != wanted.name) continue;
        out = entry.gid;
        return true;
    }
    return false;
}

}  // namespace

UserQuery parse_user(const std::string& user, const std::vector<std::string>& additional_groups, Arena& arena) {
    UserQuery query;
    if (!user.empty()) {
        const std::size_t colon = user.find(':');
        if (colon != 0) query.user = parse_id(std::string_view(user).substr(0, colon), "user", arena);  // else root
        if (colon != std::string::npos) {
            query.has_group = true;
            query.group = parse_id(std::string_view(user).substr(colon + 1), "group", arena);
        }
    }
    query.additional = arena.list<IdOrName>(additional_groups.size());
    for (std::size_t i = 0; i < additional_groups.size(); ++i)
        query.additional[i] = parse_id(additional_groups[i], "group", arena);
    return query;
}

UserProblem look_up_user(const UserQuery& query, std::string_view passwd, std::string_view group, Identity& out,
                         std::size_t& index) noexcept {
    PasswdEntry entry;
    bool found = false;
    for (std::string_view rest = passwd; !rest.empty() && !found;)
        found = parse_passwd_line(next(rest, '\n'), entry) &&
                (query.user.name != nullptr ? entry.name == query.user.name : entry.uid == query.user.id);
    if (!found && query.user.name != nullptr) return UserProblem::no_user;
    out.uid = found ? entry.uid : query.user.id;
    out.gid = found ? entry.gid : 0;
    out.home = found ? entry.home : std::string_view{};
    if (query.has_group && !find_group(query.group, group, out.gid)) return UserProblem::no_group;
    // The primary group is listed too: else dropping it would get around permissions that are denied to the group.
    out.group_count = 0;
    if (!add_group(out, out.gid)) return UserProblem::too_many_groups;
    if (found && !query.has_group) {
        GroupEntry member;
        for (std::string_view rest = group; !rest.empty();) {
            if (!parse_group_line(next(rest, '\n'), member) || !is_member(member.members, entry.name)) continue;
            if (!add_group(out, member.gid)) return UserProblem::too_many_groups;
        }
    }
    for (index = 0; index < query.additional.size; ++index) {
        std::uint32_t gid = 0;
        if (!find_group(query.additional[index], group, gid)) return UserProblem::no_additional_group;
        if (!add_group(out, gid)) return UserProblem::too_many_groups;
    }
    return UserProblem::none;
}

}  // namespace compose::runtime
