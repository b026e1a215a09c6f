// Who gets which address when one network takes the place of another.
#include "engine/network_swap.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "store/pools.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"

namespace compose::engine {
namespace {

namespace fs = std::filesystem;
using Map = std::map<std::string, std::string>;

class NetworkSwap : public testing::Test {
protected:
    NetworkSwap()
        : root_(fs::temp_directory_path() / ("compose-swap-" + sys::random_id().substr(0, 12))),
          layout_(store::Layout::from(root_ / "state", root_ / "run")) {
        layout_.prepare();
        store_ = std::make_unique<store::Store>(layout_);
        old_ = network("old", "10.71.0.0/24");
        store_->insert_network(old_, {});
    }
    ~NetworkSwap() override {
        store_.reset();
        std::error_code ignored;
        fs::remove_all(root_, ignored);
    }

    static store::Network network(const std::string& id, const std::string& subnet) {
        store::Network out;
        out.id = id;
        out.name = "p_default";
        out.project = "p";
        out.key = "default";
        out.bridge = "swap-" + id;
        out.subnet = subnet;
        return out;
    }

    void add(const std::string& name, const std::string& address, const std::string& definition = "",
             const std::string& mac = "") {
        store::Container container;
        container.id = name;
        container.name = "p-" + name + "-1";
        container.project = "p";
        store::Endpoint endpoint;
        endpoint.container_id = name;
        endpoint.network_id = old_.id;
        endpoint.address = address;
        endpoint.mac = mac;
        endpoint.interface = "cv" + name;
        endpoint.aliases = {name};
        endpoint.default_route = true;
        store_->insert_container(container, std::span(&endpoint, 1), {}, {.definition = definition, .request = {}});
    }

    std::vector<Readdressed> swap(store::Network fresh) {
        std::vector<Readdressed> moves;
        store_->transaction([&] { moves = take_place(*store_, old_, fresh); });
        return moves;
    }

    [[nodiscard]] store::Endpoint of(const std::string& name) const { return store_->endpoints_of(name).at(0); }

    fs::path root_;
    store::Layout layout_;
    std::unique_ptr<store::Store> store_;
    store::Network old_;
};

TEST_F(NetworkSwap, AddressesThatFitAreKept) {
    add("web", "10.71.0.9", "", "02:42:0a:47:00:09");
    add("db", "10.71.0.200", R"({"networks":{"default":null}})", "02:00:00:00:00:77");
    swap(network("new", "10.71.0.0/25"));
    EXPECT_EQ(of("web").network_id, "new");
    EXPECT_EQ(of("web").address, "10.71.0.9");
    EXPECT_EQ(of("web").aliases, std::vector<std::string>{"web"});
    EXPECT_TRUE(of("web").default_route);
    EXPECT_EQ(of("db").address, "10.71.0.2") << "200 is beyond";
    EXPECT_EQ(of("db").mac, "02:00:00:00:00:77") << "it does not come from the address";
    EXPECT_FALSE(store_->network("old"));
}

TEST_F(NetworkSwap, NobodyKeepsWhatIsSomebodyElsesByThen) {
    add("gateway", "10.71.0.254");
    add("reserved", "10.71.0.10");
    add("outside", "10.71.0.20", "", "02:42:0a:47:00:14");
    store::Network fresh = network("new", "10.71.0.0/24");
    fresh.gateway = "10.71.0.254";
    fresh.options = {{"ip_range", "10.71.0.8/29"}, {"reserved", store::encode_reserved({{"box", "10.71.0.10"}})}};
    swap(fresh);
    EXPECT_NE(of("gateway").address, "10.71.0.254");
    EXPECT_NE(of("reserved").address, "10.71.0.10");
    for (const char* name : {"gateway", "reserved", "outside"})
        EXPECT_TRUE(of(name).address == "10.71.0.8" || of(name).address == "10.71.0.9" ||
                    of(name).address == "10.71.0.11")
            << of(name).address;
    EXPECT_NE(of("outside").mac, "02:42:0a:47:00:14");
}

TEST_F(NetworkSwap, WhoAsksForAnAddressComesFirst) {
    add("a", "10.71.0.9");
    add("b", "10.71.0.30", R"({"networks":{"default":{"ipv4_address":"10.72.0.2","mac_address":"02:42:0a:47:00:1e"}}})",
        "02:42:0a:47:00:1e");
    swap(network("new", "10.72.0.0/24"));
    EXPECT_EQ(of("a").address, "10.72.0.3");
    EXPECT_EQ(of("b").address, "10.72.0.2");
    EXPECT_EQ(of("b").mac, "02:42:0a:47:00:1e") << "asked for, though it looks like one that comes from the address";
}

TEST_F(NetworkSwap, IsWholeOrNotAtAll) {
    add("web", "10.71.0.9", R"({"networks":{"default":{"ipv4_address":"10.71.0.9"}}})");
    const auto error = [&](auto&& body) {
        try {
            body();
        } catch (const Error& caught) {
            return std::string(caught.what());
        }
        return std::string();
    };
    const std::string expected =
        "container p-web-1: address 10.71.0.9 is not a host address of network p_default (10.72.0.0/24)";
    EXPECT_EQ(error([&] { swap(network("new", "10.72.0.0/24")); }), expected);
    EXPECT_EQ(error([&] { check_take_place(*store_, old_, network("new", "10.72.0.0/24"), {}); }), expected);
    EXPECT_EQ(error([&] { check_take_place(*store_, old_, network("new", "10.72.0.0/24"), {"web"}); }), "");
    EXPECT_EQ(error([&] { check_take_place(*store_, old_, network("new", "10.71.0.0/25"), {}); }), "");
    EXPECT_EQ(of("web").network_id, "old");
    auto row = store_->container("web").value();
    row.state = store::ContainerState::running;
    store_->update_runtime(row);
    EXPECT_EQ(error([&] { swap(network("new", "10.71.0.0/25")); }), "network p_default is in use by container p-web-1");
    EXPECT_EQ(of("web").network_id, "old");
}

TEST_F(NetworkSwap, HostsFilesFollow) {
    const std::string folder = root_ / "box";
    fs::create_directories(folder);
    const std::string path = folder + "/hosts";
    const Readdressed change{"id", Map{{"10.71.0.9", "10.72.0.2"}, {"fd00::9", "fd01::2"}, {"10.71.0.1", "10.72.0.1"}}};
    rewrite_hosts(folder, change);
    EXPECT_FALSE(fs::exists(path)) << "it has none";
    sys::write_file(path,
                    "127.0.0.1\tlocalhost\n10.71.0.9\tbox\nfd00::9 box\n10.71.0.90\tother\n10.71.0.1\tgate\n"
                    "# 10.71.0.9\n10.71.0.9");
    rewrite_hosts(folder, change);
    EXPECT_EQ(sys::read_file(path),
              "127.0.0.1\tlocalhost\n10.72.0.2\tbox\nfd01::2 box\n10.71.0.90\tother\n10.72.0.1\tgate\n"
              "# 10.71.0.9\n10.71.0.9");
    const std::string large(std::size_t{2} << 20U, 'x');
    sys::write_file(path, "10.71.0.9\tbox\n" + large);
    rewrite_hosts(folder, change);
    EXPECT_EQ(sys::read_file(path), "10.71.0.9\tbox\n" + large) << "somebody else's by now";
}

}  // namespace
}  // namespace compose::engine
