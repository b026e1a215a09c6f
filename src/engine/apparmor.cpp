#include "engine/apparmor.hpp"

#include <chrono>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "sys/command.hpp"
#include "sys/file.hpp"
#include "sys/host.hpp"

namespace compose::engine {
namespace {

constexpr std::chrono::seconds kParserTimeout{30};

std::string profiles_file(const AppArmorHost& host) {
    return host.root + "/sys/kernel/security/apparmor/profiles";
}

bool is_loaded(const AppArmorHost& host) {
    const auto profiles = sys::read_file_if_exists(profiles_file(host));
    if (!profiles) return false;
    const std::string prefix = std::string(kDefaultProfile) + " (";
    for (const std::string& line : split(*profiles, '\n'))
        if (line.starts_with(prefix)) return true;
    return false;
}

void load(const AppArmorHost& host) {
    sys::Command command;
    command.argv = {host.parser, "--replace", "--skip-cache"};
    command.input = apparmor_profile();
    command.timeout = kParserTimeout;
    const auto result = sys::run_command(command);
    if (!result.ok())
        throw make_error("{}: {}", host.parser,
                         result.timed_out ? "it does not come to an end" : std::string(trim(result.err)));
}

}  // namespace

// Later rules add to earlier ones, but what is denied stays denied.
std::string apparmor_profile() {
    return fmt::format(R"(profile {0} flags=(attach_disconnected,mediate_deleted) {{
  file,
  network,
  capability,
  umount,

  # Signals come from the host and from other containers of this profile, and go to those alone.
  signal (receive) peer=unconfined,
  signal (send, receive) peer={0},
  ptrace (trace, read, tracedby, readby) peer={0},

  deny mount,
  deny network alg,

  # In /proc a process may write what is a process's, and of the kernel's switches those of shared memory.
  deny /proc/* w,
  deny /proc/[a-rt-z]*/** w,
  deny /proc/s[a-xz]*/** w,
  deny /proc/sysvipc/** w,
  deny /proc/sys/[a-jl-z]*/** w,
  deny /proc/sys/kernel/[a-rt-z]* w,
  deny /proc/sys/kernel/s[a-gi-z]* w,
  deny /proc/sys/kernel/sh[a-ln-z]* w,
  deny /proc/sys/kernel/*/** w,
  deny /proc/sysrq-trigger rwklx,
  deny /proc/kcore rwklx,

  # In /sys its cgroups.
  deny /sys/[a-eg-z]*/** wklx,
  deny /sys/f[a-rt-z]*/** wklx,
  deny /sys/fs/[abd-z]*/** wklx,
  deny /sys/fs/c[a-fh-z]*/** wklx,
  deny /sys/firmware/** rwklx,
  deny /sys/devices/virtual/powercap/** rwklx,
  deny /sys/kernel/security/** rwklx,
}}
)",
                       kDefaultProfile);
}

std::string default_apparmor_profile(const AppArmorHost& host) {
    if (!sys::has_apparmor(host.root)) return {};
    if (is_loaded(host)) return kDefaultProfile;
    for (const std::string& needed : {profiles_file(host), host.parser})
        if (!sys::exists(needed)) {
            log::debug("containers have no AppArmor profile: there is no {}", needed);
            return {};
        }
    try {
        load(host);
        return kDefaultProfile;
    } catch (const Error& error) {
        log::debug("containers have no AppArmor profile: {}", error.what());
        return {};
    }
}

void restore_apparmor_profile(const runtime::ContainerSpec& spec, const AppArmorHost& host) {
    if (spec.apparmor == kDefaultProfile && sys::has_apparmor(host.root) && !is_loaded(host)) load(host);
}

}  // namespace compose::engine
