#include <chrono>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "loader/stages.hpp"
#include "memory_files.hpp"
#include "tree_text.hpp"

namespace compose {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

struct Loaded {
    Diagnostics findings;
    LoadedProject loaded;
    [[nodiscard]] const Service& service(const std::string& name) const { return loaded.project.services.at(name); }
};

std::unique_ptr<Loaded> load(const std::string& yaml) {
    auto out = std::make_unique<Loaded>();
    MemoryFiles files({{"/p/compose.yaml", yaml}});
    LoadRequest request;
    request.working_directory = "/p";
    out->loaded = load_project(request, files, out->findings);
    EXPECT_EQ(text_of(out->findings), "");
    return out;
}

TEST(Bind, FillsTheProcess) {
    const auto got = load(R"(
services:
  a:
    image: app
    command: run "a b"
    entrypoint: []
    environment: {A: 1, B: }
    user: "1:2"
    group_add: [3]
    init: true
    attach: false
    stop_grace_period: 1m
    restart: on-failure:4
    working_dir: /w
    annotations: {x: y}
)");
    const auto& a = got->service("a");
    EXPECT_EQ(a.command, (std::vector<std::string>{"run", "a b"}));
    EXPECT_EQ(a.entrypoint, std::vector<std::string>{});
    EXPECT_EQ(a.environment.at("A"), "1");
    EXPECT_EQ(a.environment.at("B"), std::nullopt);
    EXPECT_THAT(a.group_add, ElementsAre("3"));
    EXPECT_TRUE(a.init);
    EXPECT_FALSE(a.attach);
    EXPECT_EQ(a.stop_grace_period, 60s);
    EXPECT_EQ(a.restart.kind, RestartPolicy::Kind::on_failure);
    EXPECT_EQ(a.restart.max_retries, 4);
    EXPECT_EQ(a.pos.line, 3U);
    EXPECT_EQ(a.image_pos.line, 4U);
}

TEST(Bind, LeavesUnsetWhatTheImageDecides) {
    const auto got = load("services: {a: {image: app}}");
    const auto& a = got->service("a");
    EXPECT_EQ(a.command, std::nullopt);
    EXPECT_EQ(a.entrypoint, std::nullopt);
    EXPECT_EQ(a.healthcheck, std::nullopt);
    EXPECT_EQ(a.stop_grace_period, std::nullopt);
    EXPECT_EQ(a.shm_size, std::nullopt);
    EXPECT_TRUE(a.attach);
    EXPECT_EQ(a.scale, 1);
    ASSERT_EQ(a.networks.size(), 1U);
    EXPECT_EQ(a.networks[0].network, "default");
    EXPECT_EQ(got->loaded.project.networks.at("default").name, "p_default");
    EXPECT_EQ(a.config_hash.size(), 64U);
}

TEST(Bind, SplitsPorts) {
    const auto got = load(R"(
services:
  a:
    image: app
    ports: ["80", "8000-8001:90-91/udp", "127.0.0.1:9000-9005:99", "0:70"]
    expose: [5]
)");
    const auto& ports = got->service("a").ports;
    ASSERT_EQ(ports.size(), 5U);
    EXPECT_FALSE(ports[0].published);
    EXPECT_EQ(ports[0].target, 80);
    EXPECT_EQ(ports[2].published_first, 8001);
    EXPECT_EQ(ports[2].published_last, 8001);
    EXPECT_EQ(ports[2].protocol, "udp");
    EXPECT_EQ(ports[3].host_ip, "127.0.0.1");
    EXPECT_EQ(ports[3].published_first, 9000);
    EXPECT_EQ(ports[3].published_last, 9005);
    EXPECT_FALSE(ports[4].published);
}

TEST(Bind, FillsMounts) {
    const auto got = load(R"(
services:
  a:
    image: app
    volumes:
      - ./x:/x:ro
      - v:/v
      - {type: bind, source: /y, target: /y, bind: {create_host_path: false, propagation: rslave, selinux: Z}}
      - {type: tmpfs, target: /t, tmpfs: {size: 1m, mode: "1777"}}
    tmpfs: ["/run:size=64m"]
volumes: {v: {name: real}}
)");
    const auto& mounts = got->service("a").mounts;
    ASSERT_EQ(mounts.size(), 5U);
    EXPECT_EQ(mounts[0].type, Mount::Type::bind);
    EXPECT_EQ(mounts[0].source, "/p/x");
    EXPECT_TRUE(mounts[0].read_only);
    EXPECT_TRUE(mounts[0].create_host_path);
    EXPECT_EQ(mounts[1].source, "v");
    EXPECT_FALSE(mounts[1].create_host_path);
    EXPECT_FALSE(mounts[2].create_host_path);
    EXPECT_EQ(mounts[2].propagation, "rslave");
    EXPECT_EQ(mounts[2].selinux, "Z");
    EXPECT_EQ(mounts[3].tmpfs_size, 1048576);
    EXPECT_EQ(mounts[3].tmpfs_mode, 01777U);
    EXPECT_EQ(mounts[4].target, "/run");
    EXPECT_EQ(mounts[4].tmpfs_options, "size=64m");
    EXPECT_EQ(got->loaded.project.volumes.at("v").name, "real");
}

TEST(Bind, FillsHealthDependenciesAndLimits) {
    const auto got = load(R"(
services:
  a:
    image: app
    healthcheck: {test: ok, interval: 5s, retries: 2}
    depends_on: {b: {condition: service_healthy, restart: true}, c: {condition: service_completed_successfully, required: false}}
    deploy: {replicas: 3, resources: {limits: {cpus: "0.5", memory: 64m, pids: 7}}}
    ulimits: {nofile: {soft: 1, hard: 2}, core: 0}
    extra_hosts: ["h:10.0.0.1", "h:fd00::1"]
  b: {image: b, healthcheck: {test: [NONE]}}
  c: {image: c}
)");
    const auto& a = got->service("a");
    ASSERT_TRUE(a.healthcheck);
    EXPECT_THAT(a.healthcheck->test, ElementsAre("CMD-SHELL", "ok"));
    EXPECT_EQ(a.healthcheck->interval, 5s);
    EXPECT_EQ(a.healthcheck->timeout, std::nullopt);
    EXPECT_EQ(a.healthcheck->retries, 2);
    ASSERT_EQ(a.depends_on.size(), 2U);
    EXPECT_EQ(a.depends_on[0].condition, Condition::healthy);
    EXPECT_TRUE(a.depends_on[0].restart);
    EXPECT_FALSE(a.depends_on[1].required);
    EXPECT_EQ(a.scale, 3);
    EXPECT_EQ(a.cpus, 0.5);
    EXPECT_EQ(a.mem_limit, 64 << 20);
    EXPECT_EQ(a.pids_limit, 7);
    EXPECT_EQ(a.ulimits.at("nofile").hard, 2);
    EXPECT_EQ(a.ulimits.at("core").soft, 0);
    EXPECT_THAT(a.extra_hosts.at("h"), ElementsAre("10.0.0.1", "fd00::1"));
    EXPECT_TRUE(got->service("b").healthcheck->disabled);
}

TEST(Bind, FillsNetworks) {
    const auto got = load(R"(
services:
  a: {image: app, mac_address: "02:42:ac:11:65:43", networks: {n: {aliases: [x], ipv4_address: 10.1.0.5, priority: 5, gw_priority: 7}}}
networks: {n: {internal: true, labels: {l: 1}, ipam: {config: [{subnet: 10.1.0.0/16, gateway: 10.1.0.1, aux_addresses: {r: 10.1.0.9}}]}}}
)");
    const auto& network = got->loaded.project.networks.at("n");
    EXPECT_TRUE(network.internal);
    EXPECT_EQ(network.labels.at("l"), "1");
    ASSERT_EQ(network.ipam.size(), 1U);
    EXPECT_EQ(network.ipam[0].gateway, "10.1.0.1");
    EXPECT_EQ(network.ipam[0].aux_addresses.at("r"), "10.1.0.9");
    const auto& attachment = got->service("a").networks.at(0);
    EXPECT_THAT(attachment.aliases, ElementsAre("x"));
    EXPECT_EQ(attachment.mac_address, "02:42:ac:11:65:43");
    EXPECT_EQ(attachment.priority, 5);
    EXPECT_EQ(attachment.gw_priority, 7);
}

std::string unsupported(const std::string& yaml) {
    const auto got = load(yaml);
    check_supported(got->loaded.tree->root, got->findings, {.no_api_socket = "there is no API socket"});
    return text_of(got->findings);
}

TEST(Supported, TakesWhatTheEngineRuns) {
    EXPECT_EQ(unsupported(R"(
services:
  a:
    image: app
    x-own: 1
    command: x
    ports: ["80:80"]
    volumes: ["v:/v", "./b:/b:ro"]
    networks: {n: {aliases: [x], x-more: y}}
    security_opt: ["no-new-privileges:true", "seccomp=unconfined"]
    deploy: {replicas: 2, resources: {limits: {cpus: 1}}, restart_policy: {condition: any}}
  b: {image: b, network_mode: none}
networks: {n: {driver: bridge, ipam: {config: [{subnet: 10.1.0.0/16}]}}}
volumes: {v: {labels: {a: b}}}
)"),
              "");
}

TEST(Supported, NamesEveryAttributeItCantRunWithItsPlace) {
    const auto text = unsupported(R"(
services:
  a:
    image: app
    use_api_socket: true
    networks: {n: {ipv6_address: "fd00::1"}}
    credential_spec: {file: x}
    volumes: [{type: cluster, source: i, target: /i}]
    security_opt: ["label=user:x"]
    cpu_count: 2
    storage_opt: {size: 1m, inodes: 5}
  b: {build: {context: ., sbom: true}}
networks: {n: {driver: overlay}}
)");
    EXPECT_THAT(text, HasSubstr("compose.yaml:5:21: services.a.use_api_socket: there is no API socket"));
    EXPECT_THAT(text, HasSubstr("services.a: credential_spec is ignored: only Windows has it"));
    EXPECT_THAT(text, HasSubstr("services.a.volumes[0].type: \"cluster\" is not implemented yet"));
    EXPECT_THAT(text, HasSubstr("services.a.security_opt[0]: \"label=user:x\" is ignored: this host has no SELinux"));
    EXPECT_THAT(text, HasSubstr("services.a: cpu_count is ignored: only Windows has it"));
    EXPECT_THAT(text, HasSubstr("11:25: services.a.storage_opt.size: \"1m\" is too small"));
    EXPECT_THAT(text, HasSubstr("services.a.storage_opt: \"inodes\" is not implemented yet"));
    EXPECT_THAT(text, HasSubstr("services.b.build: sbom is ignored: no attestations are made"));
    EXPECT_THAT(text, HasSubstr("networks.n.driver: \"overlay\" is not implemented yet"));
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 9) << text;
}

}  // namespace
}  // namespace compose
