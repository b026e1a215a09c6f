#include "engine/cdi_edits.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "loader/yaml_reader.hpp"

namespace compose::engine {
namespace {

CdiEdits read(const std::string& text) {
    Diagnostics findings;
    const auto documents = read_yaml(findings.sources.add("x.yaml", text), findings);
    CdiEdits edits;
    add_edits(documents.empty() ? nullptr : &documents.front(), "x.yaml", edits);
    return edits;
}

std::string refusal(const std::string& text) {
    try {
        (void)read(text);
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

TEST(CdiEdits, ADeviceNodeIsWhatStandsThere) {
    const auto edits = read(R"({deviceNodes: [
        {path: /dev/a, hostPath: /dev/b, type: c, fileMode: 0640, uid: 7, gid: 8, permissions: r},
        {path: /dev/c, type: b, major: 7, minor: 300, fileMode: 33200},
        {path: /dev/d, type: p}, {path: /dev/e}]})");
    ASSERT_EQ(edits.devices.size(), 4U);
    const auto& a = edits.devices[0];
    EXPECT_EQ(a.source, "/dev/b");
    EXPECT_EQ(a.target, "/dev/a");
    EXPECT_EQ(a.permissions, "r");
    EXPECT_EQ(a.mode, 0640);
    EXPECT_EQ(a.uid, 7);
    EXPECT_EQ(a.gid, 8);
    const auto& c = edits.devices[1];
    EXPECT_EQ(c.source, "") << "its numbers stand there";
    EXPECT_EQ(c.major, 7);
    EXPECT_EQ(c.minor, 300);
    EXPECT_EQ(c.mode, 0660) << "33200 is 0100660: a type is in it too";
    EXPECT_EQ(edits.devices[2].source, "");
    EXPECT_EQ(edits.devices[3].source, "/dev/e");
}

TEST(CdiEdits, MountsKeepTheirOptions) {
    const auto edits = read(R"({mounts: [
        {hostPath: /a, containerPath: /b, options: [ro, nosuid, rnoexec, bind, rslave]},
        {hostPath: /c, containerPath: /d, type: bind}, {hostPath: /e, containerPath: /f, options: [rro, rbind]},
        {hostPath: tmpfs, containerPath: /t, type: tmpfs, options: [size=1m, noexec]}]})");
    ASSERT_EQ(edits.mounts.size(), 4U);
    EXPECT_TRUE(edits.mounts[0].read_only);
    EXPECT_FALSE(edits.mounts[0].recursive);
    EXPECT_FALSE(edits.mounts[0].recursive_read_only);
    EXPECT_EQ(edits.mounts[0].propagation, "rslave");
    EXPECT_EQ(edits.mounts[0].options, "nosuid,rnoexec");
    EXPECT_FALSE(edits.mounts[1].read_only);
    EXPECT_TRUE(edits.mounts[1].recursive);
    EXPECT_TRUE(edits.mounts[2].recursive_read_only);
    EXPECT_EQ(edits.mounts[3].kind, runtime::MountSpec::Kind::tmpfs);
    EXPECT_EQ(edits.mounts[3].options, "suid,dev,exec,size=1m,noexec");
}

TEST(CdiEdits, TheRest) {
    const auto edits = read("{env: [A=b], additionalGids: [0, 4711], hooks: [{hookName: poststop, path: /x}]}");
    EXPECT_EQ(edits.environment, std::vector<std::string>{"A=b"});
    EXPECT_EQ(edits.groups, std::vector<std::string>{"4711"});
    ASSERT_EQ(edits.hooks.size(), 1U);
    EXPECT_EQ(edits.hooks[0].timeout.count(), 0);
    const auto net =
        read("{netDevices: [{hostInterfaceName: ib0, name: fast0}, {hostInterfaceName: ib1}]}").net_devices;
    ASSERT_EQ(net.size(), 2U);
    EXPECT_EQ(net[0].host + " " + net[0].name, "ib0 fast0");
    EXPECT_EQ(net[1].host + " " + net[1].name, "ib1 ib1");
    EXPECT_FALSE(edits.cache_share);
    const auto share =
        read(R"({intelRdt: {closID: fast, l3CacheSchema: "L3CODE:0=f\nL3DATA:0=f", memBwSchema: "MB:0=50"}})")
            .cache_share;
    ASSERT_TRUE(share);
    EXPECT_EQ(share->group, "fast");
    EXPECT_EQ(share->schemata, (std::vector<std::string>{"L3CODE:0=f", "L3DATA:0=f", "MB:0=50"}));
}

TEST(CdiEdits, NothingIsPassedOver) {
    const std::pair<const char*, const char*> cases[] = {
        {"{envs: [A=b]}", "unknown field \"envs\""},
        {"{env: [A]}", "\"A\" in env is not like NAME=VALUE"},
        {"{env: A=b}", "env is no list"},
        {"\n{deviceNodes: [{path: /dev/a, mode: 6}]}", "x.yaml:2: a device node has an unknown field \"mode\""},
        {"{deviceNodes: [{hostPath: /dev/a}]}", "without a path"},
        {"{deviceNodes: [{path: /dev/a, permissions: rx}]}", "\"rx\" are not of \"rwm\""},
        {"{deviceNodes: [{path: /dev/a, type: x}]}", "no type of device \"x\""},
        {"{deviceNodes: [{path: /dev/a, uid: -1}]}", "uid \"-1\" is no number"},
        {"{deviceNodes: [{path: /dev/a, fileMode: rw}]}", "fileMode \"rw\" is no number"},
        {"{deviceNodes: [{path: /dev/a, major: 4096}]}", "from 0 to 4095"},
        {"{mounts: [{hostPath: /a, containerPath: /b, options: [sync]}]}", "unknown option \"sync\" of a bind mount"},
        {"{mounts: [{hostPath: /a, containerPath: /b, type: nfs}]}", "type \"nfs\" are not made"},
        {"{mounts: [{hostPath: a, containerPath: /b}]}", "absolute paths"},
        {"{mounts: [{hostPath: a, containerPath: /b, type: tmpfs, options: [rbind]}]}", "unknown tmpfs option"},
        {"{additionalGids: [video]}", "additionalGids \"video\" is no number"},
        {"{hooks: [{hookName: x, path: /x}]}", "no kind of hook \"x\""},
        {"{hooks: [{hookName: poststop, path: x}]}", "is not absolute"},
        {"{hooks: [{hookName: poststop, path: /x, timeout: 0}]}", "timeout of 0 s"},
        {"{netDevices: [{name: eth0}]}", "\"\" is no name of a network interface"},
        {"{netDevices: [{hostInterfaceName: a/b}]}", "\"a/b\" is no name"},
        {"{netDevices: [{hostInterfaceName: ib0, name: a234567890123456}]}", "is no name"},
        {"{netDevices: [{hostInterfaceName: ib0, mtu: 9000}]}", "unknown field \"mtu\""},
        {"{intelRdt: {closID: a/b}}", "\"a/b\" is no name of a group"},
        {"{intelRdt: {closID: info}}", "\"info\" is no name of a group"},
        {"{intelRdt: {}}", "neither a group nor schemata"},
        {"{intelRdt: {schemata: [x]}}", "\"x\" is no schema"},
        {"{intelRdt: {closID: x, enableMonitoring: true}}", "x.yaml:1: enableMonitoring: nothing is monitored"},
        {"{intelRdt: {closId: x}}", "unknown field \"closId\""},
        {"[]", "containerEdits is no mapping"},
    };
    for (const auto& [text, why] : cases) EXPECT_NE(refusal(text).find(why), std::string::npos) << refusal(text);
}

}  // namespace
}  // namespace compose::engine
