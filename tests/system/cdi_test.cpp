// What the host's device descriptions (CDI) add to a container, beside hooks.
#include "support/cdi.hpp"

#include <gmock/gmock.h>

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Cdi : public CdiTest {};

TEST_F(Cdi, NodesHaveTheirTypeNumbersModeAndOwner) {
    describe(R"({deviceNodes: [
        {path: /dev/thing/own, hostPath: /dev/null, fileMode: 0640, uid: 1000, gid: 4711, permissions: rw},
        {path: /dev/made, type: c, major: 1, minor: 5, fileMode: 420}, {path: /dev/fifo, type: p, uid: 7},
        {path: /dev/as-host, hostPath: /dev/zero}, {path: /dev/renumbered, hostPath: /dev/null, major: 1, minor: 9}]})");
    box_.ok({"up", "-d"});
    EXPECT_EQ(in("cd /dev; stat -c '%n %F %t:%T %a %u:%g' thing/own made fifo as-host renumbered"),
              "thing/own character special file 1:3 640 1000:4711\n"
              "made character special file 1:5 644 0:0\n"
              "fifo fifo 0:0 666 7:0\n"
              "as-host character special file 1:5 666 0:0\n"
              "renumbered character special file 1:9 666 0:0\n");
    EXPECT_EQ(in("head -c 3 /dev/made | wc -c"), "3\n");
    describe("{deviceNodes: [{path: /dev/x, hostPath: /dev/null, type: b}]}");
    EXPECT_THAT(box_.fails({"up", "-d", "--force-recreate"}), HasSubstr("device /dev/null is not of the type \"b\""));
    describe("{deviceNodes: [{path: /dev/x, hostPath: /dev/null, filemode: 0600}]}");
    EXPECT_THAT(box_.fails({"up", "-d", "--force-recreate"}),
                HasSubstr("/etc/cdi/test.yaml:5: a device node has an unknown field \"filemode\""));
}

TEST_F(Cdi, MountsHaveTheirOptions) {
    box_.write("folder/file", "text\n");
    ASSERT_TRUE(
        box_.host({"sh", "-c", "cd " + box_.folder() + " && mkdir folder/below && mount -t tmpfs x folder/below"})
            .ok());
    const auto folder = box_.path("folder");
    describe("{mounts: [{hostPath: " + folder +
             ", containerPath: /all, options: [rbind, ro, nosuid, nodev, rnoexec]}, " + "{hostPath: " + folder +
             ", containerPath: /top, type: bind, options: [bind, noatime]}, " +
             "{hostPath: x, containerPath: /memory, type: tmpfs, options: [size=64k, mode=700]}]}");
    box_.ok({"up", "-d"});
    const auto mounts = in("grep -E ' (/all|/all/below|/top|/top/below|/memory) ' /proc/self/mountinfo");
    EXPECT_THAT(mounts, testing::ContainsRegex(" /all ro,nosuid,nodev,noexec,"));
    EXPECT_THAT(mounts, testing::ContainsRegex(" /all/below rw,noexec,"));
    EXPECT_THAT(mounts, testing::ContainsRegex(" /top rw,noatime "));
    EXPECT_THAT(mounts, testing::ContainsRegex(" /memory rw,relatime "));
    EXPECT_THAT(mounts, Not(HasSubstr("/top/below")));
    EXPECT_EQ(in("stat -c %a /memory"), "700\n");
    describe("{mounts: [{hostPath: " + folder + ", containerPath: /x, options: [sync]}]}");
    EXPECT_THAT(box_.fails({"up", "-d", "--force-recreate"}), HasSubstr("unknown option \"sync\" of a bind mount"));
    box_.ok({"down"});
    ASSERT_TRUE(box_.host({"umount", folder + "/below"}).ok());
}

TEST_F(Cdi, AnInterfaceOfTheHostIsTheContainersWhileItRuns) {
    ASSERT_TRUE(box_.host({"sh", "-c",
                           "ip link add lent0 type veth peer name lent1 && ip addr add 10.123.0.5/24 dev lent0 && "
                           "ip link set lent0 up"})
                    .ok());
    describe("{netDevices: [{hostInterfaceName: lent0, name: fast0}, {hostInterfaceName: lent1}]}");
    box_.ok({"up", "-d"});
    const auto shown = in("ip -o addr show dev fast0; ip -o link show dev lent1; ip -o addr show dev eth0");
    EXPECT_THAT(shown, testing::AllOf(HasSubstr("10.123.0.5/24"), HasSubstr("lent1"), HasSubstr("eth0")));
    EXPECT_THAT(in("ip -o link show dev fast0"), testing::ContainsRegex("<[A-Z,_]*UP"));
    EXPECT_FALSE(box_.host({"ip", "link", "show", "lent0"}).ok()) << "it is not the host's meanwhile";
    describe("{netDevices: [{hostInterfaceName: gone0}]}");
    EXPECT_THAT(box_.fails({"up", "-d", "--force-recreate"}), HasSubstr("no network interface \"gone0\""));
    describe("{netDevices: [{hostInterfaceName: ../x}]}");
    EXPECT_THAT(box_.fails({"up", "-d", "--force-recreate"}), HasSubstr("/etc/cdi/test.yaml:5: \"../x\" is no name"));
    box_.write("host.yaml",
               "services:\n  app: {image: busybox, command: sleep 9, network_mode: host, devices: "
               "['test.example/thing=one']}\n");
    describe("{netDevices: [{hostInterfaceName: lent2}]}");
    EXPECT_THAT(box_.fails({"-f", "host.yaml", "up", "-d"}), HasSubstr("a network of its own"));
}

TEST_F(Cdi, SharesOfTheCachesNeedAProcessorThatHasThem) {
    if (sys::exists("/sys/fs/resctrl/schemata")) GTEST_SKIP() << "this host has them";
    describe("{intelRdt: {schemata: ['L3:0=f']}}");
    EXPECT_THAT(box_.fails({"up", "-d"}), HasSubstr("there is no resctrl file system at /sys/fs/resctrl"));
}

}  // namespace
}  // namespace compose::test
