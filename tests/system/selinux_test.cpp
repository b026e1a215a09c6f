// What compose does on a host with SELinux, as far as a kernel without it lets see: the files that tell of a policy are
// there, and root may write the attribute that a policy would read. This program's mounts are its own.
#include <gmock/gmock.h>

#include "support/traffic.hpp"
#include "sys/file.hpp"
#include "sys/xattr.hpp"

namespace compose::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;

constexpr const char* kPretend = R"(
set -e
[ -e /sys/fs/selinux/mine ] && exit 0
[ ! -e /sys/fs/selinux/enforce ] || exit 1
mkdir -p /etc/selinux $1
mount --rbind /sys/fs/cgroup $1
mount -t tmpfs pretend /sys/fs
mkdir /sys/fs/cgroup /sys/fs/selinux
mount --rbind $1 /sys/fs/cgroup
umount -R -l $1
touch /sys/fs/selinux/enforce /sys/fs/selinux/mine
mount -t tmpfs pretend /etc/selinux
mkdir -p /etc/selinux/targeted/contexts
echo SELINUXTYPE=targeted > /etc/selinux/config
printf 'process = "system_u:system_r:container_t:s0"\nfile = "system_u:object_r:container_file_t:s0"\n' \
    > /etc/selinux/targeted/contexts/lxc_contexts
)";

class Selinux : public testing::Test {
protected:
    void SetUp() override {
        REQUIRE_ROOT();
        if (!box_.host({"sh", "-c", kPretend, "sh", box_.path("../cgroups")}).ok())
            GTEST_SKIP() << "this host can't play one with SELinux";
    }
    [[nodiscard]] std::string label(const std::string& name) const {
        return sys::read_xattr(sys::open_for_reading(box_.path(name)), "security.selinux").value_or("none");
    }

    Sandbox box_;
};

TEST_F(Selinux, BindMountsAreRelabelledForAllOrForOne) {
    for (const char* file : {"all/in/file", "one/file", "plain/file", "long/file"}) box_.write(file, "x\n");
    box_.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    volumes:
      - ./all:/all:z
      - ./one:/one:ro,Z
      - ./plain:/plain
      - {type: bind, source: ./long, target: /long, bind: {selinux: z}}
      - ./fresh:/fresh:z
)");
    const auto up = box_.compose({"up", "-d"});
    ASSERT_EQ(up.exit_code, 0) << up.err;
    EXPECT_THAT(up.err, testing::Not(HasSubstr("warning")));
    EXPECT_EQ(in(box_, "web", "cat /all/in/file /one/file"), "x\nx\n");
    const std::string shared = "system_u:object_r:container_file_t:s0";
    for (const char* name : {"all", "all/in", "all/in/file", "long/file", "fresh"}) EXPECT_EQ(label(name), shared);
    for (const char* name : {"one", "one/file"}) EXPECT_THAT(label(name), MatchesRegex(shared + ":c[0-9]+,c[0-9]+"));
    EXPECT_EQ(label("plain/file"), "none");
    box_.ok({"container", "run", "--rm", "-v", box_.path("plain") + ":/p:z", "busybox", "true"});
    EXPECT_EQ(label("plain/file"), shared);
}

TEST_F(Selinux, WhatCannotBeIsSaidBeforeAnythingIsMade) {
    box_.write("compose.yaml",
               "services:\n  web:\n    image: busybox\n    command: sleep 9\n    volumes: [\"/etc:/x:z\"]\n"
               "    security_opt: [\"label=color:red\"]\n");
    EXPECT_THAT(box_.fails({"up", "-d"}),
                AllOf(HasSubstr("compose.yaml:5:"), HasSubstr("SELinux relabeling of /etc is not allowed"),
                      HasSubstr("compose.yaml:6:"), HasSubstr("\"color:red\" is no label")));
    EXPECT_TRUE(box_.ps().empty());
}

// The kernel here knows no contexts: that nothing runs without the one that was asked for is what can be seen.
TEST_F(Selinux, NothingRunsOutsideTheContextThatItAskedFor) {
    box_.write(
        "compose.yaml",
        "services:\n  web:\n    image: busybox\n    command: sleep 9\n    security_opt: [\"label=type:web_t\"]\n");
    EXPECT_THAT(box_.fails({"up", "-d"}), HasSubstr("use SELinux context \"system_u:system_r:web_t:s0:c"));
    EXPECT_THAT(box_.ok({"container", "inspect", "demo-web-1", "--format", "{{.ProcessLabel}} {{.MountLabel}}"}),
                MatchesRegex("system_u:system_r:web_t:(s0:c[0-9]+,c[0-9]+) "
                             "system_u:object_r:container_file_t:(s0:c[0-9]+,c[0-9]+)\n"));
    box_.write("compose.yaml",
               "services:\n  web:\n    image: busybox\n    command: sleep 9\n    security_opt: [\"label=disable\"]\n");
    box_.ok({"up", "-d", "-t", "0"});
    box_.ok({"down", "-t", "0"});
}

}  // namespace
}  // namespace compose::test
