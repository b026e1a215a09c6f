// Rolling updates of services whose host ports somebody uses all the while.
#include <csignal>
#include <memory>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/json.hpp"
#include "store/store.hpp"
#include "support/background.hpp"
#include "support/sandbox.hpp"
#include "support/traffic.hpp"
#include "sys/file.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;

/// The service answers with `word`; the host's Python runs in it.
void write_answering(const Sandbox& box, const std::string& word, const std::string& ports,
                     const std::string& more = "", int probe = 80) {
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: [python3, /answerer.py, )" +
                                  word + R"(]
    volumes: ["/usr:/usr:ro", "/lib:/lib:ro", "/lib64:/lib64:ro", ")" +
                                  PROJECT_ROOT + R"(/tests/support/answerer.py:/answerer.py:ro"]
    x-probe: {tcp: )" + std::to_string(probe) +
                                  R"(}
    healthcheck: {interval: 100ms, retries: 300}
    stop_grace_period: 0s
    ports: [)" + ports + R"(]
    deploy: {update_config: {order: start-first)" +
                                  more + "}}\n");
}

/// Clients beside the test.
class Askers {
public:
    Askers(const Sandbox& box, std::vector<std::string> addresses) : box_(box), addresses_(std::move(addresses)) {
        std::vector<std::string> argv{"python3", PROJECT_ROOT "/tests/support/asker.py", box.path("enough")};
        argv.insert(argv.end(), addresses_.begin(), addresses_.end());
        process_ = std::make_unique<Background>(box, argv, box.path("asked"));
        EXPECT_TRUE(eventually([&] { return sys::exists(box_.path("enough.begun")); }, std::chrono::seconds(20)));
    }

    /// Ends them. None has failed, and each has heard these words, one after the other; `late` for all but the first.
    void expect(const std::vector<std::string>& words, std::optional<std::vector<std::string>> late = {}) {
        box_.write("enough", "");
        ASSERT_TRUE(
            eventually([&] { return sys::read_file(box_.path("asked")).ends_with("}\n"); }, std::chrono::seconds(20)));
        const auto told = parse_json(sys::read_file(box_.path("asked")));
        for (const auto& address : addresses_) {
            const auto& one = told.at(address).as_object();
            const auto seen = strings_or_empty(one, "seen");
            const auto failed = strings_or_empty(one, "failed").size();
            const auto& wanted = late && address != addresses_.front() ? *late : words;
            if (!address.starts_with("udp")) {
                EXPECT_EQ(seen, wanted) << address;
                EXPECT_EQ(failed, 0U) << json::serialize(one);
                continue;
            }
            // The datagram that is under way when its flow is turned may be lost; then its client waits for a while.
            EXPECT_EQ(seen.front(), wanted.front()) << address;
            EXPECT_EQ(seen.back(), wanted.back()) << address;
            EXPECT_LE(failed, words.size() - 1) << json::serialize(one);
        }
    }

private:
    const Sandbox& box_;
    std::vector<std::string> addresses_;
    std::unique_ptr<Background> process_;
};

/// Who has which host port, as the database says.
std::string host_ports(const Sandbox& box) {
    std::string text;
    const store::Store store(store::Layout::from(box.state(), box.run_dir()));
    for (const auto& container : store.containers_without_spec("demo"))
        for (const auto& port : store.ports_of(container.id))
            text += fmt::format("{} {}:{}/{}\n", container.name, port.host_ip, port.host_port, port.protocol);
    return text;
}

TEST(Rolling, HostPortsPassOnWithoutARefusedConnection) {
    REQUIRE_ROOT();
    Sandbox box;
    const std::string ports = R"("18080:80", "127.0.0.1:18081:80", "18082:81/udp")";
    write_answering(box, "one", ports);
    box.ok({"up", "-d", "--wait"});
    // By rules, and by relays: [::1] to a container that has IPv4 only.
    std::vector<std::string> addresses{"tcp:127.0.0.1:18080", "tcp:127.0.0.1:18081", "udp:127.0.0.1:18082"};
    if (has_ipv6(box)) addresses.insert(addresses.end(), {"tcp:[::1]:18080", "udp:[::1]:18082"});
    Askers askers(box, addresses);
    const auto first = box.field("demo-web-1", "ID");
    for (const char* word : {"two", "three"}) {
        write_answering(box, word, ports);
        EXPECT_THAT(box.compose({"up", "-d"}).err, testing::Not(HasSubstr("Stops first")));
        EXPECT_NE(box.field("demo-web-1", "ID"), first);
    }
    EXPECT_THAT(box.ok({"ps"}), HasSubstr("0.0.0.0:18080->80/tcp"));
    EXPECT_EQ(box.ps().size(), 1U);
    askers.expect({"one", "two", "three"});
}

TEST(Rolling, EachReplicaKeepsItsPortOfTheRange) {
    REQUIRE_ROOT();
    Sandbox box;
    const std::string ports = R"("127.0.0.1:18080-18089:80")";
    write_answering(box, "one", ports);
    box.ok({"up", "-d", "--wait", "--scale", "web=2"});
    const auto before = host_ports(box);
    Askers askers(box, {"tcp:127.0.0.1:18080", "tcp:127.0.0.1:18081"});
    write_answering(box, "two", ports);
    box.ok({"up", "-d", "--scale", "web=2"});
    EXPECT_EQ(host_ports(box), before);
    askers.expect({"one", "two"});
}

TEST(Rolling, AFailedUpdateLeavesTheOldOneServing) {
    REQUIRE_ROOT();
    Sandbox box;
    const std::string ports = R"("18080:80")";
    const std::string way_back = ", failure_action: rollback";
    write_answering(box, "one", ports, way_back);
    box.ok({"up", "-d", "--wait"});
    const auto good = box.field("demo-web-1", "ID");
    Askers askers(box, {"tcp:127.0.0.1:18080"});
    write_answering(box, "two", ports, way_back, 9);
    box.write("quick.yaml", "services: {web: {healthcheck: {retries: 1}}}\n");
    EXPECT_THAT(box.fails({"-f", "compose.yaml", "-f", "quick.yaml", "up", "-d"}), HasSubstr("unhealthy"));
    EXPECT_EQ(box.field("demo-web-1", "ID"), good);
    EXPECT_EQ(box.ps().size(), 1U);
    askers.expect({"one"});
}

TEST(Rolling, ARollbackGivesThePortsBack) {
    REQUIRE_ROOT();
    Sandbox box;
    const std::string ports = R"("18080-18089:80")";
    const std::string way_back = ", failure_action: rollback";
    const std::vector<std::string> up{"-f", "compose.yaml", "-f", "more.yaml", "up", "-d"};
    box.write("more.yaml", "services: {web: {scale: 2}}\n");
    write_answering(box, "one", ports, way_back);
    box.ok(up);
    const auto before = host_ports(box);
    const auto good = box.field("demo-web-1", "ID");
    ASSERT_TRUE(eventually([&] { return box.field("demo-web-2", "Health") == "healthy"; }));
    const bool straight = before.starts_with("demo-web-1 :18080");
    Askers askers(box, {straight ? "tcp:127.0.0.1:18080" : "tcp:127.0.0.1:18081",
                        straight ? "tcp:127.0.0.1:18081" : "tcp:127.0.0.1:18080"});
    // The first new one is well and gets its port, the second one ends at once.
    box.write("more.yaml", R"(
services:
  web:
    scale: 2
    command: [sh, -c, "mkdir /taken/first && exec python3 /answerer.py two; exit 3"]
    volumes: ["./taken:/taken"]
)");
    box.fails(up);
    EXPECT_EQ(box.field("demo-web-1", "ID"), good);
    EXPECT_EQ(box.ps().size(), 2U);
    EXPECT_EQ(host_ports(box), before);
    askers.expect({"one", "two", "one"}, std::vector<std::string>{"one"});
}

TEST(Rolling, KilledInBetweenTheNextOneEndsIt) {
    REQUIRE_ROOT();
    Sandbox box;
    const std::string ports = R"("18080:80")";
    write_answering(box, "one", ports);
    box.ok({"up", "-d", "--wait"});
    Askers askers(box, {"tcp:127.0.0.1:18080"});
    std::vector<std::string> words{"one"};
    const char* const names[] = {"two", "three", "four", "five", "six", "seven"};
    for (int i = 0; i < 6; ++i) {
        words.emplace_back(names[i]);
        write_answering(box, words.back(), ports);
        {
            const Background up(box, {COMPOSE_BINARY, "up", "-d"}, box.path("up.out"));
            const auto containers = [&] { return box.ps().size(); };
            // From the making of the new one on to the removal of the old one.
            ASSERT_TRUE(eventually([&] { return containers() == 2; }));
            std::this_thread::sleep_for(std::chrono::milliseconds(i * 250));
            ::kill(up.pid(), SIGKILL);
        }
        EXPECT_EQ(host_ports(box).find('\n'), host_ports(box).size() - 1) << host_ports(box);
        if (const int supervisor = box.resident_pid("supervisor"); i % 2 == 1 && supervisor > 1)
            ::kill(supervisor, SIGKILL);
        box.ok({"up", "-d", "--wait"});
        EXPECT_EQ(box.ps().size(), 1U);
        EXPECT_THAT(host_ports(box), testing::StartsWith("demo-web-1 "));
    }
    askers.expect(words);
}

}  // namespace
}  // namespace compose::test
