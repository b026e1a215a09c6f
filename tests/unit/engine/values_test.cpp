// The other pure parts of the engine: endpoints, files, verdicts on waits, status texts.
#include <gtest/gtest.h>

#include "engine/container_view.hpp"
#include "engine/endpoints.hpp"
#include "engine/materialize.hpp"
#include "engine/wait_watcher.hpp"

namespace compose::engine {
namespace {

using Words = std::vector<std::string>;

store::Network network(const std::string& name, bool internal = false) {
    store::Network row;
    row.id = "id-" + name;
    row.name = name;
    row.gateway = "10.0.0.1";
    row.internal = internal;
    return row;
}

const std::string kId = "0123456789abcdef" + std::string(48, '0');

TEST(Endpoints, OrderAndDefaultRoute) {
    Service service;
    service.name = "web";
    service.hostname = "box";
    for (const char* key : {"b", "a", "c"}) {
        NetworkAttachment attachment;
        attachment.network = key;
        service.networks.push_back(attachment);
    }
    service.networks[0].aliases = {"www", "web"};
    std::map<std::string, store::Network> networks{{"a", network("p_a")}, {"b", network("p_b")}, {"c", network("p_c")}};
    const auto routes = [&] {
        Words result;
        for (const PlannedEndpoint& planned : plan_endpoints(service, kId, "p-web-1", networks))
            result.push_back(planned.network->name + (planned.endpoint.default_route ? "*" : ""));
        return result;
    };
    EXPECT_EQ(routes(), (Words{"p_a*", "p_b", "p_c"}));
    service.networks[2].priority = 5;
    EXPECT_EQ(routes(), (Words{"p_c", "p_a*", "p_b"}));
    service.networks[0].gw_priority = 1;
    EXPECT_EQ(routes(), (Words{"p_c", "p_a", "p_b*"}));
    for (auto& [key, row] : networks) row.internal = true;
    EXPECT_EQ(routes(), (Words{"p_c", "p_a", "p_b"}));
    const auto endpoints = plan_endpoints(service, kId, "p-web-1", networks);
    EXPECT_EQ(endpoints[2].endpoint.aliases, (Words{"web", "p-web-1", "0123456789ab", "www", "box"}));
    EXPECT_EQ(endpoints[2].endpoint.interface, "cv0123456789a2");
    EXPECT_EQ(endpoints[2].endpoint.index, 2);
}

TEST(Materialize, HostsNamesTheContainerAndExtraHosts) {
    Service service;
    service.name = "web";
    service.domainname = "test";
    service.networks.emplace_back();
    service.networks[0].network = "a";
    service.extra_hosts = {{"up", {"host-gateway"}}, {"fixed", {"1.2.3.4"}}};
    ContainerFacts facts;
    facts.id = kId;
    std::map<std::string, store::Network> networks{{"a", network("p_a")}};
    auto endpoints = plan_endpoints(service, kId, "p-web-1", networks);
    endpoints[0].endpoint.address = "10.0.0.7";
    const std::string text = hosts_text(service, facts, {}, endpoints);
    EXPECT_NE(text.find("127.0.0.1\tlocalhost\n"), std::string::npos);
    EXPECT_NE(text.find("10.0.0.1\tup\n"), std::string::npos) << text;
    EXPECT_NE(text.find("1.2.3.4\tfixed\n"), std::string::npos) << text;
    EXPECT_NE(text.find("10.0.0.7\t0123456789ab.test 0123456789ab\n"), std::string::npos) << text;
    service.network_mode = "host";
    EXPECT_EQ(hosts_text(service, facts, {"m", "", "127.0.0.1 here"}, {}),
              "127.0.0.1 here\n1.2.3.4\tfixed\n127.0.0.1\tup\n");
}

TEST(Materialize, OwnNetworksAskOurResolverOthersTheHosts) {
    Service service;
    service.networks.emplace_back();
    const HostFacts host{"m", "nameserver 9.9.9.9\nsearch lan\n", ""};
    EXPECT_EQ(resolv_text(service, host).find("nameserver 127.0.0.11\nsearch lan\n"), 0U);
    service.network_mode = "host";
    EXPECT_EQ(resolv_text(service, host), host.resolv_conf);
    service.dns = {"1.1.1.1"};
    EXPECT_EQ(resolv_text(service, host), "nameserver 1.1.1.1\nsearch lan\n");
}

struct WaitCase {
    const char* name;
    WaitContainer::Until until;
    store::ContainerState state;
    store::Health health;
    bool checked;
    int exit_code;
    bool decided;
    const char* failure;
};

TEST(Waits, VerdictsInDockerComposesWords) {
    using Until = WaitContainer::Until;
    using State = store::ContainerState;
    using store::Health;
    const WaitCase cases[] = {
        {"starting", Until::healthy, State::running, Health::starting, true, 0, false, ""},
        {"healthy", Until::healthy, State::running, Health::healthy, true, 0, true, ""},
        {"unhealthy", Until::healthy, State::running, Health::unhealthy, true, 0, true,
         "dependency failed to start: container p-db-1 is unhealthy"},
        {"gone", Until::healthy, State::exited, Health::none, true, 3, true,
         "dependency failed to start: container p-db-1 exited (3)"},
        {"between restarts", Until::healthy, State::restarting, Health::none, true, 3, false, ""},
        {"no check", Until::healthy, State::running, Health::none, false, 0, true,
         "dependency failed to start: container p-db-1 has no healthcheck configured"},
        {"still running", Until::completed, State::running, Health::none, false, 0, false, ""},
        {"done", Until::completed, State::exited, Health::none, false, 0, true, ""},
        {"failed", Until::completed, State::exited, Health::none, false, 4, true,
         "service \"db\" didn't complete successfully: exit 4"},
        {"runs", Until::ready, State::running, Health::none, false, 0, true, ""},
        {"runs, not healthy yet", Until::ready, State::running, Health::starting, true, 0, false, ""},
        {"one-shot", Until::ready, State::exited, Health::none, false, 0, true, ""},
        {"crashed", Until::ready, State::exited, Health::none, false, 1, true, "container p-db-1 exited (1)"},
        {"ready, unhealthy", Until::ready, State::running, Health::unhealthy, true, 0, true,
         "container p-db-1 is unhealthy"},
    };
    for (const WaitCase& c : cases) {
        store::Container row;
        row.state = c.state;
        row.health = c.health;
        row.exit_code = c.exit_code;
        if (c.checked) row.config.health_json = "{}";
        const Verdict verdict = judge({{"p-db-1", "id"}, "db", c.until, true}, row);
        EXPECT_EQ(verdict.decided, c.decided) << c.name;
        EXPECT_EQ(verdict.failure, c.failure) << c.name;
    }
}

TEST(ContainerViews, StatusTextsAreDockers) {
    using namespace std::chrono_literals;
    const auto at = [](std::chrono::nanoseconds t) { return t.count(); };
    const std::chrono::sys_time<std::chrono::nanoseconds> now(1000h);
    ContainerView view;
    view.state = "running";
    view.started_at = at(1000h - 3min);
    EXPECT_EQ(status_text(view, now), "Up 3 minutes");
    view.health = "starting";
    EXPECT_EQ(status_text(view, now), "Up 3 minutes (health: starting)");
    view.health = "healthy";
    EXPECT_EQ(status_text(view, now), "Up 3 minutes (healthy)");
    view.state = "exited";
    view.exit_code = 1;
    view.finished_at = at(1000h - 2h);
    EXPECT_EQ(status_text(view, now), "Exited (1) 2 hours ago");
    view.finished_at = at(1001h);  // a clock that was set back
    EXPECT_EQ(status_text(view, now), "Exited (1) Less than a second ago");
    view.state = "restarting";
    view.finished_at = at(1000h - 2s);
    EXPECT_EQ(status_text(view, now), "Restarting (1) 2 seconds ago");
    view.state = "created";
    EXPECT_EQ(status_text(view, now), "Created");
}

}  // namespace
}  // namespace compose::engine
