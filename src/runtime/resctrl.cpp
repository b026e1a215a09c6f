#include "runtime/resctrl.hpp"

#include <map>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "sys/file.hpp"
#include "sys/kernel_files.hpp"

namespace compose::runtime {
namespace {

/// By resource ("L3") and domain ("0"); without leading zeros.
using Schemata = std::map<std::string, std::map<std::string, std::string>>;

Schemata parse_schemata(const std::vector<std::string>& lines) {
    Schemata out;
    for (const std::string& line : lines) {
        const std::string text(trim(line));
        const auto colon = text.find(':');
        if (colon == std::string::npos) continue;
        for (const std::string& part : split(text.substr(colon + 1), ';')) {
            const auto equals = part.find('=');
            if (equals == std::string::npos) continue;
            std::string value(trim(part.substr(equals + 1)));
            value.erase(0, std::min(value.find_first_not_of('0'), value.size() - 1));
            out[text.substr(0, colon)][std::string(trim(part.substr(0, equals)))] = lower(value);
        }
    }
    return out;
}

bool holds(const Schemata& all, const Schemata& wanted) {
    for (const auto& [resource, domains] : wanted) {
        const auto there = all.find(resource);
        if (there == all.end()) return false;
        for (const auto& [domain, value] : domains)
            if (const auto found = there->second.find(domain); found == there->second.end() || found->second != value)
                return false;
    }
    return true;
}

std::string own_group(const std::string& container_id) {
    return "compose-" + container_id;
}

/// What the kernel says of the last thing that it was asked for.
std::string last_status(const std::string& root) {
    const auto text = sys::read_file_if_exists(root + "/info/last_cmd_status");
    return text && trim(*text) != "ok" && !trim(*text).empty() ? fmt::format(" ({})", trim(*text)) : std::string();
}

void tell(const std::string& root, const std::string& path, const std::string& text) {
    try {
        sys::write_kernel_file(path, text);
    } catch (const Error& error) {
        throw make_error("{}{}", error.what(), last_status(root));
    }
}

void make_group(const std::string& root, const std::string& group, const std::vector<std::string>& schemata) {
    if (!sys::make_kernel_directory(group)) throw make_error("intelRdt: make {}: the folder above is missing", group);
    try {
        tell(root, group + "/schemata", join(schemata, "\n") + "\n");
    } catch (...) {
        (void)sys::remove_kernel_directory(group);
        throw;
    }
}

}  // namespace

void check_resctrl(const std::string& root) {
    if (sys::exists(root + "/schemata")) return;
    throw make_error(ErrorKind::unavailable, "intelRdt: there is no resctrl file system at {}", root)
        .with_hint("on a processor that has it: mount -t resctrl resctrl " + root);
}

void join_resctrl(const CacheShare& share, const std::string& container_id, pid_t pid, const std::string& root) {
    check_resctrl(root);
    const bool own = share.group.empty();
    const std::string group = root + "/" + (own ? own_group(container_id) : share.group);
    const bool there = sys::is_directory(group);
    if (!there && share.schemata.empty())
        throw make_error(ErrorKind::not_found, "intelRdt: there is no group {}", group)
            .with_hint("make it, or say with which schemata it is to be made");
    if (there && !own) {
        const auto now = split(sys::read_file(group + "/schemata"), '\n');
        if (!holds(parse_schemata(now), parse_schemata(share.schemata)))
            throw make_error(ErrorKind::conflict, "intelRdt: the group {} has other schemata", group);
    } else {
        make_group(root, group, share.schemata);
    }
    tell(root, group + "/tasks", std::to_string(pid) + "\n");
}

void leave_resctrl(const std::string& container_id, const std::string& root) {
    (void)sys::remove_kernel_directory(root + "/" + own_group(container_id));
}

}  // namespace compose::runtime
