// The default AppArmor profile, on a tree of a host that has AppArmor and with a program in the parser's place.
#include "engine/apparmor.hpp"

#include <unistd.h>

#include <filesystem>

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "sys/command.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"

namespace compose::engine {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class AppArmor : public testing::Test {
protected:
    AppArmor() {
        host_.root = testing::TempDir() + "apparmor-" + std::to_string(::getpid());
        host_.parser = host_.root + "/parser";
        sys::make_directories(host_.root + "/sys/module/apparmor/parameters");
        sys::make_directories(host_.root + "/sys/kernel/security/apparmor");
    }
    ~AppArmor() override { sys::remove_tree(host_.root); }

    void turn_on() const { sys::write_file(host_.root + "/sys/module/apparmor/parameters/enabled", "Y\n"); }
    void profiles(const std::string& text) const {
        sys::write_file(host_.root + "/sys/kernel/security/apparmor/profiles", text);
    }
    /// It notes what it is given, and does what the kernel would.
    void parser(const std::string& more) const {
        sys::write_file(host_.parser, "#!/bin/sh\ncat > " + host_.root + "/given\n" + more + "\n", 0755);
    }
    [[nodiscard]] std::string given() const { return sys::read_file_if_exists(host_.root + "/given").value_or(""); }

    AppArmorHost host_;
};

TEST_F(AppArmor, IsLoadedOnceWhereTheKernelHasIt) {
    parser("echo 'compose-default (enforce)' >> " + host_.root + "/sys/kernel/security/apparmor/profiles");
    EXPECT_EQ(default_apparmor_profile(host_), "") << "off";
    EXPECT_EQ(given(), "");
    turn_on();
    profiles("compose-default-2 (enforce)\n");
    EXPECT_EQ(default_apparmor_profile(host_), kDefaultProfile);
    EXPECT_EQ(given(), apparmor_profile());
    sys::write_file(host_.root + "/given", "");
    EXPECT_EQ(default_apparmor_profile(host_), kDefaultProfile);
    EXPECT_EQ(given(), "") << "it is there";
}

TEST_F(AppArmor, WithoutAParserThereIsNone) {
    turn_on();
    profiles("");
    EXPECT_EQ(default_apparmor_profile(host_), "");
    parser("echo 'syntax error' >&2; exit 1");
    EXPECT_EQ(default_apparmor_profile(host_), "");
    EXPECT_NE(given(), "");
}

TEST_F(AppArmor, WithoutItsFileSystemThereIsNone) {
    turn_on();
    parser("");
    EXPECT_EQ(default_apparmor_profile(host_), "");
    EXPECT_EQ(given(), "");
}

TEST_F(AppArmor, IsLoadedAgainAfterAReboot) {
    turn_on();
    parser("");
    runtime::ContainerSpec spec;
    restore_apparmor_profile(spec, host_);
    spec.apparmor = "other";
    restore_apparmor_profile(spec, host_);
    EXPECT_EQ(given(), "");
    spec.apparmor = kDefaultProfile;
    restore_apparmor_profile(spec, host_);
    EXPECT_EQ(given(), apparmor_profile());
    parser("echo 'it is broken' >&2; exit 1");
    try {
        restore_apparmor_profile(spec, host_);
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("it is broken"));
    }
}

TEST_F(AppArmor, TheProfileCompiles) {
    if (!sys::is_program("/sbin/apparmor_parser")) GTEST_SKIP() << "there is no apparmor_parser";
    sys::Command command;
    command.argv = {"/sbin/apparmor_parser", "--skip-kernel-load", "--skip-cache"};
    command.input = apparmor_profile();
    const auto result = sys::run_command(command);
    EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST_F(AppArmor, TheProfileKeepsTheKernelsSwitchesFromContainers) {
    EXPECT_THAT(apparmor_profile(), AllOf(HasSubstr("profile compose-default flags=("), HasSubstr("\n  deny mount,\n"),
                                          HasSubstr("deny /proc/sysrq-trigger rwklx,"), HasSubstr("deny network alg,"),
                                          HasSubstr("signal (receive) peer=unconfined,"), Not(HasSubstr("{{"))));
}

}  // namespace
}  // namespace compose::engine
