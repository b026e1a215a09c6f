#include "net/bridge_filter.hpp"

#include <algorithm>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "sys/file.hpp"
#include "sys/kernel_files.hpp"
#include "sys/links.hpp"

namespace compose::net {
namespace {

const std::string kSettings = "/proc/sys/net/bridge/";
constexpr const char* kSwitches[] = {"bridge-nf-call-iptables", "bridge-nf-call-ip6tables"};

/// Is it the administrator's wish that it is on? Others than us that need it write it there too.
bool is_asked_for() {
    std::vector<std::string> files{"/etc/sysctl.conf"};
    for (const std::string folder : {"/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d"})
        for (const auto& name : sys::kernel_names(folder))
            if (name.ends_with(".conf")) files.push_back(folder + "/" + name);
    return std::any_of(files.begin(), files.end(),
                       [](const auto& path) { return sets_bridge_filter(sys::read_kernel_file(path)); });
}

bool all_are(std::span<const std::string> own) {
    const auto all = sys::Links().names("bridge");
    return all && std::all_of(all->begin(), all->end(),
                              [&](const auto& name) { return std::find(own.begin(), own.end(), name) != own.end(); });
}

std::string this_namespace() {
    return sys::link_text("/proc/thread-self/ns/net").value_or("");
}

/// First the network namespace in which it was changed, then what was on.
void turn_off(const std::string& note, const std::vector<std::string>& switches) {
    sys::replace_file(note, this_namespace() + "\n" + join(switches, "\n"), 0600);
    for (const auto& name : switches) sys::try_write_kernel_file(kSettings + name, "0");
    log::debug("bridged packets no longer pass the host's IP rules: {}", join(switches, ", "));
}

void turn_back(const std::string& note) {
    const auto text = sys::read_file_if_exists(note);
    if (!text) return;
    const auto lines = split(*text, '\n');
    if (lines.front() == this_namespace())
        for (const char* name : kSwitches)
            if (std::find(lines.begin() + 1, lines.end(), name) != lines.end())
                sys::try_write_kernel_file(kSettings + name, "1");
    sys::remove_file(note);
}

}  // namespace

bool sets_bridge_filter(std::string_view sysctl_file) {
    for (const auto& line : split(sysctl_file, '\n')) {
        auto key = trim(line);
        if (key.starts_with('-')) key = trim(key.substr(1));  // an error in it is to be passed over
        std::string plain(key);
        std::replace(plain.begin(), plain.end(), '/', '.');
        if (plain.starts_with("net.bridge.")) return true;
    }
    return false;
}

void settle_bridge_filter(std::span<const std::string> own, const std::string& note) {
    std::vector<std::string> on;
    for (const char* name : kSwitches)
        if (sys::read_kernel_file(kSettings + name).starts_with('1')) on.emplace_back(name);
    const bool noted = sys::exists(note);
    if (on.empty() && !noted) return;
    if (own.empty() || !all_are(own)) return turn_back(note);
    if (!on.empty() && !is_asked_for()) turn_off(note, on);
}

}  // namespace compose::net
