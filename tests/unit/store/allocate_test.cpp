#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>

#include <gmock/gmock.h>

#include "fixture.hpp"
#include "store/pools.hpp"
#include "store/subnets.hpp"

namespace compose::store::test {
namespace {

using ::testing::HasSubstr;

TEST(Ipv4, ParsesOnlyPlainDecimal) {
    EXPECT_EQ(parse_ipv4("1.2.3.4"), 0x01020304U);
    EXPECT_EQ(parse_ipv4("255.255.255.255"), 0xffffffffU);
    for (const auto* bad : {"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.-4", "1.2.3.4 ", "a.b.c.d",
                            "1..2.3", "1.2.3.", "::1"})
        EXPECT_FALSE(parse_ipv4(bad)) << bad;
    EXPECT_EQ(format_range(*parse_range("10.1.2.3/8")), "10.0.0.0/8");
    EXPECT_EQ(parse_range("0.0.0.0/0")->last, 0xffffffffU);
    for (const auto* bad : {"10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "/8", "fd00::/64"})
        EXPECT_FALSE(parse_range(bad)) << bad;
}

TEST(Subnets, AreDockersPoolsInOrderUntilAllAreUsed) {
    std::vector<Range> used;
    std::vector<std::string> texts;
    for (int i = 0; i < 31; ++i) {
        used.push_back(choose_subnet(used, {}));
        texts.push_back(format_range(used.back()));
    }
    EXPECT_EQ(texts[0], "172.17.0.0/16");
    EXPECT_EQ(texts[14], "172.31.0.0/16");
    EXPECT_EQ(texts[15], "192.168.0.0/20");
    EXPECT_EQ(texts[16], "192.168.16.0/20");
    EXPECT_EQ(texts[30], "192.168.240.0/20");
    EXPECT_THAT(error_of([&] { static_cast<void>(choose_subnet(used, {})); }).what(), HasSubstr("no subnet is left"));
}

TEST(Subnets, KeepClearOfTheHostsRoutes) {
    const std::vector<std::string> avoid{"172.16.0.0/14", "0.0.0.0/0", "fd00::/8", "nonsense", "172.20.5.0/24"};
    EXPECT_EQ(format_range(choose_subnet({}, avoid)), "172.21.0.0/16");
}

TEST(Subnets, RefusesWhatIsNone) {
    for (const auto* bad :
         {"0.0.0.0/0", "10.0.0.0/31", "10.0.0.0/32", "10.0.0.1/24", "10.0.0.0", "x", "::/0", "10.0.0.0/7"})
        EXPECT_EQ(error_of([&] { static_cast<void>(check_subnet(bad)); }).kind(), ErrorKind::invalid) << bad;
    const auto range = check_subnet("10.0.0.0/29");
    EXPECT_EQ(format_ipv4(check_gateway(range, "")), "10.0.0.1");
    EXPECT_EQ(format_ipv4(check_gateway(range, "10.0.0.6")), "10.0.0.6");
    for (const auto* bad : {"10.0.0.0", "10.0.0.7", "10.0.1.1", "x"})
        EXPECT_EQ(error_of([&] { static_cast<void>(check_gateway(range, bad)); }).kind(), ErrorKind::invalid) << bad;
}

TEST_F(StoreTest, NetworksDoNotOverlap) {
    Store store(layout_);
    auto a = make_network("a", "a");
    a.subnet = "10.1.0.0/16";
    store.insert_network(a, {});
    EXPECT_EQ(a.gateway, "10.1.0.1");
    auto b = make_network("b", "b");
    b.subnet = "10.1.2.0/24";
    EXPECT_STREQ(error_of([&] { store.insert_network(b, {}); }).what(),
                 "subnet 10.1.2.0/24 overlaps 10.1.0.0/16 of network a (project p)");
    EXPECT_EQ(error_of([&] {
                  auto same = make_network("c", "a");
                  store.insert_network(same, {});
              }).kind(),
              ErrorKind::conflict);
    b.subnet.clear();
    store.insert_network(b, {});
    EXPECT_EQ(b.subnet, "172.17.0.0/16");
    auto host = make_network("h", "host");
    host.driver = "host";
    host.bridge.clear();
    store.insert_network(host, {});
    EXPECT_EQ(host.subnet, "");
}

void add_container(Store& store, const Network& network, int number, const std::string& wanted = {}) {
    const auto id = fmt::format("{}-{:04}", network.id, number);
    store.transaction([&] {
        Endpoint endpoint;
        endpoint.network_id = network.id;
        endpoint.address = store.allocate_address(network, wanted);
        endpoint.interface = "v" + id;
        store.insert_container(make_container(id, "c" + id), std::span(&endpoint, 1), {});
    });
}

TEST_F(StoreTest, AddressesAreTheLowestFree) {
    Store store(layout_);
    auto network = make_network("n", "n");
    network.subnet = "10.0.0.0/29";
    network.gateway = "10.0.0.3";
    store.insert_network(network, {});
    for (int i = 0; i < 5; ++i) add_container(store, network, i);
    std::vector<std::string> addresses;
    for (const auto& endpoint : store.endpoints_on("n")) addresses.push_back(endpoint.address);
    EXPECT_EQ(addresses, (std::vector<std::string>{"10.0.0.1", "10.0.0.2", "10.0.0.4", "10.0.0.5", "10.0.0.6"}));
    EXPECT_STREQ(error_of([&] { add_container(store, network, 9); }).what(),
                 "network n has no free address left in 10.0.0.0/29");
    store.delete_container("n-0001");
    add_container(store, network, 10);
    EXPECT_EQ(store.endpoints_of("n-0010").at(0).address, "10.0.0.2");
}

TEST_F(StoreTest, FurtherSubnetsAreFilledInTheirOrder) {
    Store store(layout_);
    auto network = make_network("n", "n");
    network.subnet = "10.0.0.0/30";
    network.options["more"] = encode_pools(std::vector<Pool>{
        {"10.8.0.0/24", "10.8.0.9", "10.8.0.8/29", {{"a", "10.8.0.8"}, {"b", "10.8.0.11"}}}, {"fd00::/64", "fd00::1"}});
    store.insert_network(network, {});
    EXPECT_EQ(network.gateway, "10.0.0.1");
    ASSERT_EQ(pools_of(network, false).size(), 2U);
    ASSERT_EQ(pools_of(network, true).size(), 1U);
    EXPECT_EQ(pools_of(network, true)[0].gateway, "fd00::1");
    add_container(store, network, 0, "10.8.0.200");
    for (int i = 1; i < 7; ++i) add_container(store, network, i);
    std::vector<std::string> addresses;
    for (const auto& endpoint : store.endpoints_on("n")) addresses.push_back(endpoint.address);
    EXPECT_EQ(addresses, (std::vector<std::string>{"10.0.0.2", "10.8.0.10", "10.8.0.12", "10.8.0.13", "10.8.0.14",
                                                   "10.8.0.15", "10.8.0.200"}));
    EXPECT_STREQ(error_of([&] { add_container(store, network, 9); }).what(),
                 "network n has no free address left in 10.0.0.0/30, 10.8.0.8/29");
    EXPECT_EQ(error_of([&] { add_container(store, network, 9, "10.8.0.9"); }).kind(), ErrorKind::conflict);
    EXPECT_STREQ(error_of([&] { add_container(store, network, 9, "10.9.0.9"); }).what(),
                 "address 10.9.0.9 is not a host address of network n (10.0.0.0/30, 10.8.0.0/24)");
    // Nobody else gets these.
    auto other = make_network("o", "o");
    other.subnet = "10.8.0.0/16";
    EXPECT_STREQ(error_of([&] { store.insert_network(other, {}); }).what(),
                 "subnet 10.8.0.0/16 overlaps 10.8.0.0/24 of network n (project p)");
    other.subnet = "10.9.0.0/16";
    other.options["more"] = encode_pools(std::vector<Pool>{{"10.0.0.0/24", "10.0.0.1"}});
    EXPECT_STREQ(error_of([&] { store.insert_network(other, {}); }).what(),
                 "subnet 10.0.0.0/24 overlaps 10.0.0.0/30 of network n (project p)");
}

TEST_F(StoreTest, AWantedAddressIsCheckedAndItsHolderNamed) {
    Store store(layout_);
    auto network = make_network("n", "n");
    network.subnet = "10.0.0.0/24";
    store.insert_network(network, {});
    add_container(store, network, 1, "10.0.0.77");
    EXPECT_STREQ(error_of([&] { add_container(store, network, 2, "10.0.0.77"); }).what(),
                 "address 10.0.0.77 in network n is already in use by container cn-0001 (project p)");
    EXPECT_EQ(error_of([&] { add_container(store, network, 2, "10.0.0.1"); }).kind(), ErrorKind::conflict);
    for (const auto* bad : {"10.0.0.0", "10.0.0.255", "10.0.1.5", "nope", "::1"})
        EXPECT_EQ(error_of([&] { add_container(store, network, 2, bad); }).kind(), ErrorKind::invalid) << bad;
}

TEST_F(StoreTest, FiveHundredContainersFitOneNetwork) {
    Store store(layout_);
    auto network = make_network("n", "n");
    store.insert_network(network, {});
    for (int i = 0; i < 500; ++i) add_container(store, network, i);
    std::set<std::string> addresses;
    for (const auto& endpoint : store.endpoints_on("n")) addresses.insert(endpoint.address);
    EXPECT_EQ(addresses.size(), 500U);
    EXPECT_TRUE(addresses.contains("172.17.1.245"));
}

TEST_F(StoreTest, PortsExcludeEachOtherAsTheKernelWould) {
    Store store(layout_);
    store.insert_container(make_container("a", "p-web-1"), {}, {});
    store.insert_container(make_container("b", "q-web-1", "q"), {}, {});
    const auto take = [&](const char* id, const char* protocol, const char* ip, std::uint16_t first,
                          std::uint16_t last) {
        return store.allocate_port(id, protocol, ip, first, last, 80).host_port;
    };
    EXPECT_EQ(take("a", "tcp", "", 8080, 8080), 8080);
    const auto error = error_of([&] { take("b", "tcp", "", 8080, 8080); });
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_STREQ(error.what(), "port 8080/tcp on all addresses is already published by container p-web-1 (project p)");
    EXPECT_EQ(error_of([&] { take("b", "tcp", "127.0.0.1", 8080, 8080); }).kind(), ErrorKind::conflict);
    EXPECT_EQ(take("b", "udp", "", 8080, 8080), 8080);
    EXPECT_EQ(take("a", "tcp", "127.0.0.1", 9000, 9000), 9000);
    EXPECT_EQ(take("b", "tcp", "127.0.0.2", 9000, 9000), 9000);
    EXPECT_STREQ(error_of([&] { take("b", "tcp", "", 9000, 9000); }).what(),
                 "port 9000/tcp on 127.0.0.1 is already published by container p-web-1 (project p)");
    EXPECT_EQ(take("b", "tcp", "", 8079, 8082), 8079);
    EXPECT_EQ(take("b", "tcp", "", 8079, 8082), 8081);
    EXPECT_EQ(take("b", "tcp", "", 8079, 8082), 8082);
    EXPECT_THAT(error_of([&] { take("b", "tcp", "", 8079, 8082); }).what(),
                HasSubstr("no port of 8079-8082/tcp is free"));
    EXPECT_EQ(take("a", "tcp", "", 0, 0), 32768);
    EXPECT_EQ(take("a", "tcp", "127.0.0.1", 0, 0), 32769);
    EXPECT_EQ(take("a", "tcp", "127.0.0.9", 0, 0), 32769);
    EXPECT_EQ(store.ports_of("a").size(), 5U);
    EXPECT_EQ(store.ports("q").size(), 5U);
    store.release_ports("a");
    EXPECT_EQ(take("b", "tcp", "", 8080, 8080), 8080);
    EXPECT_EQ(error_of([&] { take("nobody", "tcp", "", 1, 1); }).kind(), ErrorKind::not_found);
    EXPECT_EQ(error_of([&] { take("a", "tcp", "", 5, 4); }).kind(), ErrorKind::invalid);
    EXPECT_EQ(take("a", "tcp", "", 65535, 65535), 65535);
}

TEST_F(StoreTest, PortsOfTheTwoFamiliesAreApartUnlessBothAreMeant) {
    Store store(layout_);
    store.insert_container(make_container("a", "p-web-1"), {}, {});
    const auto takes = [&](const char* held, const char* wanted) {
        store.release_ports("a");
        (void)store.allocate_port("a", "tcp", held, 8080, 8080, 80);
        try {
            return store.allocate_port("a", "tcp", wanted, 8080, 8080, 80).host_port == 8080;
        } catch (const Error& error) {
            return error.kind() != ErrorKind::conflict;
        }
    };
    EXPECT_TRUE(takes("0.0.0.0", "::"));
    EXPECT_TRUE(takes("::", "0.0.0.0"));
    EXPECT_TRUE(takes("::", "127.0.0.1"));
    EXPECT_TRUE(takes("::1", "fd00::1"));
    EXPECT_TRUE(takes("::1", "127.0.0.1"));
    EXPECT_FALSE(takes("::", "::1"));
    EXPECT_FALSE(takes("::1", "::"));
    EXPECT_FALSE(takes("0.0.0.0", "127.0.0.1"));
    for (const char* one : {"0.0.0.0", "::", "127.0.0.1", "::1"}) {
        EXPECT_FALSE(takes("", one)) << one;
        EXPECT_FALSE(takes(one, "")) << one;
    }
    EXPECT_STREQ(error_of([&] { store.allocate_port("a", "tcp", "::", 8080, 8080, 80); }).what(),
                 "port 8080/tcp on ::1 is already published by container p-web-1 (project p)");
}

TEST_F(StoreTest, EightProcessesAllocateWithoutDuplicates) {
    constexpr int kProcesses = 8;
    constexpr int kEach = 12;
    // The processes open, and so create, the database at the same time.
    std::vector<pid_t> children;
    for (int process = 0; process < kProcesses; ++process) {
        const pid_t pid = ::fork();
        ASSERT_GE(pid, 0);
        if (pid > 0) {
            children.push_back(pid);
            continue;
        }
        int failures = 0;
        try {
            Store store(layout_);
            for (int i = 0; i < 3; ++i) {
                auto network = make_network(fmt::format("n{}-{}", process, i), fmt::format("n{}-{}", process, i));
                store.insert_network(network, {});
            }
            auto shared = store.network_by_name("shared");
            if (!shared) {
                auto network = make_network("shared", "shared");
                try {
                    store.insert_network(network, {});
                } catch (const Error&) {
                }
                shared = store.network_by_name("shared");
            }
            for (int i = 0; i < kEach; ++i) {
                add_container(store, *shared, process * 100 + i);
                const auto id = fmt::format("shared-{:04}", process * 100 + i);
                static_cast<void>(store.allocate_port(id, "tcp", i % 2 == 0 ? "" : "127.0.0.1", 0, 0, 80));
            }
        } catch (const Error& error) {
            std::fprintf(stderr, "process %d: %s\n", process, error.what());
            failures = 1;
        }
        ::_exit(failures);
    }
    for (const auto pid : children) {
        int status = 0;
        ASSERT_EQ(::waitpid(pid, &status, 0), pid);
        EXPECT_EQ(status, 0);
    }
    Store store(layout_);
    std::set<std::string> subnets, addresses;
    std::set<int> ports;
    for (const auto& network : store.networks("")) EXPECT_TRUE(subnets.insert(network.subnet).second) << network.subnet;
    EXPECT_EQ(subnets.size(), 25U);
    for (const auto& endpoint : store.endpoints_on("shared")) EXPECT_TRUE(addresses.insert(endpoint.address).second);
    EXPECT_EQ(addresses.size(), static_cast<std::size_t>(kProcesses * kEach));
    for (const auto& port : store.ports("")) EXPECT_TRUE(ports.insert(port.host_port).second) << port.host_port;
    EXPECT_EQ(ports.size(), static_cast<std::size_t>(kProcesses * kEach));
}

TEST_F(StoreTest, ThreadsWithStoresOfTheirOwnAllocateWithoutDuplicates) {
    std::vector<std::thread> threads;
    std::atomic<int> failures{0};
    for (int thread = 0; thread < 8; ++thread)
        threads.emplace_back([&, thread] {
            try {
                Store store(layout_);
                const auto id = fmt::format("t{}", thread);
                store.insert_container(make_container(id, id), {}, {});
                for (int i = 0; i < 10; ++i) static_cast<void>(store.allocate_port(id, "udp", "", 4000, 4079, 53));
            } catch (const Error& error) {
                std::fprintf(stderr, "thread %d: %s\n", thread, error.what());
                ++failures;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(failures, 0);
    std::set<int> ports;
    for (const auto& port : Store(layout_).ports("")) ports.insert(port.host_port);
    EXPECT_EQ(ports.size(), 80U);
}

}  // namespace
}  // namespace compose::store::test
