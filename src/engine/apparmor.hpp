// The AppArmor profile that containers run under where nobody asks for another.
#pragma once

#include <string>

#include "runtime/spec.hpp"

namespace compose::engine {

inline constexpr const char* kDefaultProfile = "compose-default";

/// Its text: files, network and capabilities are free as far as the other walls let through; mounts, and what is
/// written below /proc and /sys, are not; signals and traces stay among its own.
[[nodiscard]] std::string apparmor_profile();

/// What is looked at and run; tests have others.
struct AppArmorHost {
    std::string root{};                            // of /sys
    std::string parser = "/sbin/apparmor_parser";  // loads profiles; distributions without it have no AppArmor either
};

/// kDefaultProfile where the kernel has AppArmor and the profile is loaded, or can be; else nothing, and a line in the
/// log of --debug says why.
[[nodiscard]] std::string default_apparmor_profile(const AppArmorHost& host = {});
/// Before a start: after a reboot the kernel knows no profiles. Does nothing for containers with other ones.
void restore_apparmor_profile(const runtime::ContainerSpec& spec, const AppArmorHost& host = {});

}  // namespace compose::engine
