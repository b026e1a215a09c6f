#include "sys/process_tree.hpp"

#include <dirent.h>

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <map>
#include <set>

#include "base/strings.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"
#include "sys/process.hpp"

namespace compose::sys {
namespace {

struct Family {
    pid_t parent = 0;
    pid_t session = 0;
    bool zombie = false;
};

// "pid (comm) state ppid pgrp session ...": the command may hold anything, so fields count from the last parenthesis.
Family family_of(pid_t pid) {
    std::optional<std::string> text;
    try {
        text = read_file_if_exists(fmt::format("/proc/{}/stat", pid));
    } catch (const Error&) {
        return {};  // it ended between open and read
    }
    if (!text) return {};
    const auto end = text->rfind(')');
    if (end == std::string::npos || end + 2 >= text->size()) return {};
    const auto fields = split(std::string_view(*text).substr(end + 2), ' ');
    if (fields.size() < 4) return {};
    // With threads that live on it is not over, though its first one is.
    constexpr std::size_t kThreads = 17;
    const bool zombie = fields[0] == "Z" && fields.size() > kThreads && std::atoi(fields[kThreads].c_str()) <= 1;
    return {std::atoi(fields[1].c_str()), std::atoi(fields[3].c_str()), zombie};
}

std::map<pid_t, Family> all_processes() {
    std::map<pid_t, Family> result;
    DIR* const folder = ::opendir("/proc");
    if (folder == nullptr) throw errno_error("read /proc");
    while (const dirent* const entry = ::readdir(folder)) {
        const std::string_view name = entry->d_name;
        pid_t pid = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (error != std::errc{} || end != name.data() + name.size()) continue;
        result.emplace(pid, family_of(pid));
    }
    ::closedir(folder);
    return result;
}

std::set<pid_t> tree_of(pid_t root, const std::map<pid_t, Family>& all) {
    std::set<pid_t> members{root};
    const auto own = all.find(root);
    // Only when it leads its session: else the session is somebody else's.
    const bool leads = own != all.end() && own->second.session == root;
    for (bool grown = true; grown;) {
        grown = false;
        for (const auto& [pid, family] : all)
            if (members.contains(family.parent) || (leads && family.session == root))
                grown |= members.insert(pid).second;
    }
    return members;
}

}  // namespace

void kill_process_tree(pid_t root) {
    // Stopped first: a stopped process starts no others and, unlike a dead one, keeps its children. Two looks without a
    // new face mean that all are known; then all die.
    constexpr int kMaxRounds = 64;
    std::map<pid_t, Fd> members;
    for (int round = 0; round < kMaxRounds; ++round) {
        std::map<pid_t, Fd> fresh;
        for (const auto pid : tree_of(root, all_processes()))
            if (!members.contains(pid))
                if (auto fd = open_pidfd(pid)) fresh.emplace(pid, std::move(*fd));
        if (fresh.empty()) break;
        // The number may have been reused between the look and the open: only who is still of the family counts.
        const auto still = tree_of(root, all_processes());
        for (auto& [pid, fd] : fresh) {
            if (!still.contains(pid)) continue;
            send_signal(fd, SIGSTOP);
            members.emplace(pid, std::move(fd));
        }
    }
    for (const auto& [pid, fd] : members) send_signal(fd, SIGKILL);
}

pid_t parent_of(pid_t pid) {
    return family_of(pid).parent;
}
bool is_zombie(pid_t pid) {
    return family_of(pid).zombie;
}
pid_t session_of(pid_t pid) {
    return family_of(pid).session;
}

}  // namespace compose::sys
