#include "net/bridge_filter.hpp"

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "lab.hpp"
#include "sys/file.hpp"

namespace compose::net {
namespace {

const std::string kSwitch = "/proc/sys/net/bridge/bridge-nf-call-iptables";

class BridgeFilter : public ::testing::Test {
protected:
    void SetUp() override {
        char folder[] = "/tmp/compose-filter-XXXXXX";
        ASSERT_NE(::mkdtemp(folder), nullptr);
        folder_ = folder;
        note_ = folder_ + "/note";
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    void settle(const std::vector<std::string>& own) const { settle_bridge_filter(own, note_); }
    [[nodiscard]] bool noted() const { return sys::exists(note_); }

    /// In a namespace of its own with the setting on; skips where there is none, or where files ask for it.
    void with_filter(const std::function<void()>& body) const {
        lab::run([&] {
            if (!sys::exists(kSwitch)) GTEST_SKIP() << "this kernel doesn't show bridged packets to the IP rules";
            if (lab::shell("grep -qsr net.bridge /etc/sysctl.conf /etc/sysctl.d /run/sysctl.d /usr/lib/sysctl.d").ok)
                GTEST_SKIP() << "this machine's sysctl files have settings of bridges";
            sys::write_file(kSwitch, "1");
            ASSERT_TRUE(lab::shell("ip link add ours type bridge").ok);
            body();
        });
    }

    std::string folder_, note_;
};

TEST_F(BridgeFilter, IsOffWhileAllBridgesAreOurs) {
    with_filter([&] {
        settle({"ours", "not there yet"});
        EXPECT_EQ(sys::read_file(kSwitch), "0\n");
        EXPECT_TRUE(noted());
        settle({"ours"});  // again, as for the second network
        EXPECT_EQ(sys::read_file(kSwitch), "0\n");
        settle({});
        EXPECT_EQ(sys::read_file(kSwitch), "1\n");
        EXPECT_FALSE(noted());
    });
}

TEST_F(BridgeFilter, IsLeftToWhoHasABridgeToo) {
    with_filter([&] {
        ASSERT_TRUE(lab::shell("ip link add theirs type bridge").ok);
        settle({"ours"});
        EXPECT_EQ(sys::read_file(kSwitch), "1\n");
        EXPECT_FALSE(noted());
        ASSERT_TRUE(lab::shell("ip link del theirs").ok);
        settle({"ours"});
        EXPECT_EQ(sys::read_file(kSwitch), "0\n");
        ASSERT_TRUE(lab::shell("ip link add theirs type bridge").ok);
        settle({"ours"});
        EXPECT_EQ(sys::read_file(kSwitch), "1\n") << "it was on before we came";
        EXPECT_FALSE(noted());
    });
}

TEST_F(BridgeFilter, IsNotTurnedOnWhereItWasOff) {
    with_filter([&] {
        sys::write_file(kSwitch, "0");
        sys::write_file("/proc/sys/net/bridge/bridge-nf-call-ip6tables", "0");
        settle({"ours"});
        EXPECT_FALSE(noted());
        settle({});
        EXPECT_EQ(sys::read_file(kSwitch), "0\n");
        // What was changed elsewhere says nothing about this namespace.
        sys::write_file(note_, "net:[1]\nbridge-nf-call-iptables");
        settle({});
        EXPECT_EQ(sys::read_file(kSwitch), "0\n");
        EXPECT_FALSE(noted());
    });
}

TEST(BridgeFilterFiles, SaysWhoAsksForIt) {
    EXPECT_TRUE(sets_bridge_filter("net.ipv4.ip_forward = 1\n net.bridge.bridge-nf-call-iptables = 1\n"));
    EXPECT_TRUE(sets_bridge_filter("-net/bridge/bridge-nf-call-ip6tables=1"));
    EXPECT_TRUE(sets_bridge_filter("net.bridge.* = 1"));
    EXPECT_FALSE(sets_bridge_filter("# net.bridge.bridge-nf-call-iptables = 1\n; net.bridge.x = 1\n"));
    EXPECT_FALSE(sets_bridge_filter(""));
}

}  // namespace
}  // namespace compose::net
