// The attributes that need a page of their own, from text to the typed model.
#include <chrono>
#include <compose/config.hpp>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "memory_files.hpp"
#include "tree_text.hpp"

namespace compose {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

struct Loaded {
    Diagnostics findings;
    LoadedProject loaded;
    [[nodiscard]] const Service& a() const { return loaded.project.services.at("a"); }
};

// `attributes` of one service `a`, indented by four; `rest` is top level.
std::unique_ptr<Loaded> load_service(const std::string& attributes, const std::string& rest = {}) {
    auto out = std::make_unique<Loaded>();
    MemoryFiles files({{"/p/compose.yaml", "services:\n  a:\n" + attributes + rest}});
    LoadRequest request;
    request.working_directory = "/p";
    request.environment = {{"TOKEN", "t0ps3cret"}, {"FROM_SHELL", "shell"}};
    out->loaded = load_project(request, files, out->findings);
    EXPECT_EQ(text_of(out->findings), "");
    return out;
}

TEST(BindWhole, FillsTheBuild) {
    const auto got = load_service(R"(    build:
      context: ./src
      dockerfile: D
      args: {A: 1, FROM_SHELL: , GONE: }
      target: t
      tags: [x, y]
      labels: [l=1]
      platforms: [linux/amd64]
      network: host
      shm_size: 1k
      ulimits: {nofile: {soft: 1, hard: 2}, nproc: 3}
      extra_hosts: ["h:1.2.3.4"]
      additional_contexts: {other: ../o, base: "docker-image://b"}
      secrets: [token, {source: token, target: k, mode: 0400}]
      ssh: [default]
      cache_from: [c]
      cache_to: [d]
      no_cache: true
      no_cache_filter: s
      pull: true
      privileged: true
      entitlements: [e]
      provenance: false
      sbom: true
)",
                                  "secrets: {token: {environment: TOKEN}}\n");
    ASSERT_TRUE(got->a().build);
    const auto& build = *got->a().build;
    EXPECT_EQ(build.context, "/p/src");
    EXPECT_EQ(build.dockerfile, "D");
    EXPECT_THAT(build.args, UnorderedElementsAre(Pair("A", "1"), Pair("FROM_SHELL", "shell")));
    EXPECT_EQ(build.target, "t");
    EXPECT_THAT(build.tags, ElementsAre("x", "y"));
    EXPECT_THAT(build.labels, ElementsAre(Pair("l", "1")));
    EXPECT_THAT(build.platforms, ElementsAre("linux/amd64"));
    EXPECT_EQ(build.network, "host");
    EXPECT_EQ(build.shm_size, 1024);
    EXPECT_EQ(build.ulimits.at("nofile"), (std::pair<std::int64_t, std::int64_t>(1, 2)));
    EXPECT_EQ(build.ulimits.at("nproc"), (std::pair<std::int64_t, std::int64_t>(3, 3)));
    EXPECT_THAT(build.extra_hosts.at("h"), ElementsAre("1.2.3.4"));
    EXPECT_THAT(build.additional_contexts, ElementsAre(Pair("base", "docker-image://b"), Pair("other", "/o")));
    ASSERT_EQ(build.secrets.size(), 2U);
    EXPECT_EQ(build.secrets[1].target, "k");
    EXPECT_EQ(build.secrets[1].mode, 0400U);
    EXPECT_THAT(build.ssh, ElementsAre("default"));
    EXPECT_THAT(build.cache_from, ElementsAre("c"));
    EXPECT_THAT(build.cache_to, ElementsAre("d"));
    EXPECT_THAT(build.no_cache_filter, ElementsAre("s"));
    EXPECT_TRUE(build.no_cache && build.pull && build.privileged);
    EXPECT_THAT(build.entitlements, ElementsAre("e"));
    EXPECT_EQ(build.provenance, "false");
    EXPECT_EQ(build.sbom, "true");
    EXPECT_EQ(build.pos.line, 3U);
}

TEST(BindWhole, TakesContentFromVariablesButNeverPrintsIt) {
    const auto got = load_service(R"(    image: app
    secrets: [token]
    configs: [{source: text, target: /etc/t, uid: "7", gid: "8", mode: 0640}, fromvar]
)",
                                  R"(secrets: {token: {environment: TOKEN}}
configs: {text: {content: "hello $${X}"}, fromvar: {environment: FROM_SHELL}, file: {file: ./f}}
)");
    const auto& project = got->loaded.project;
    EXPECT_EQ(project.secrets.at("token").content, "t0ps3cret");
    EXPECT_EQ(project.secrets.at("token").name, "p_token");
    EXPECT_EQ(project.configs.at("text").content, "hello ${X}");
    EXPECT_EQ(project.configs.at("fromvar").content, "shell");
    EXPECT_FALSE(project.configs.contains("file")) << "no service uses it";
    ASSERT_EQ(got->a().secrets.size(), 1U);
    EXPECT_EQ(got->a().secrets[0].target, "/run/secrets/token");
    EXPECT_EQ(got->a().secrets[0].mode, std::nullopt);
    ASSERT_EQ(got->a().configs.size(), 2U);
    EXPECT_EQ(got->a().configs[0].uid, "7");
    EXPECT_EQ(got->a().configs[0].gid, "8");
    EXPECT_EQ(got->a().configs[0].mode, 0640U);
    EXPECT_THAT(render_config(got->loaded, ConfigFormat::yaml), testing::Not(HasSubstr("t0ps3cret")));
}

TEST(BindWhole, AsksForTheVariableOfASecretOnlyWhenContainersRun) {
    const auto got =
        load_service("    image: app\n    secrets: [token]\n", "secrets: {token: {environment: NOT_THERE}}\n");
    EXPECT_EQ(got->loaded.project.secrets.at("token").content, std::nullopt);
    check_supported(got->loaded, got->findings);
    EXPECT_THAT(text_of(got->findings), HasSubstr("the environment variable NOT_THERE is not set"));
}

TEST(BindWhole, RefusesAPlatformThatTheEnvironmentWants) {
    const auto got = load_service("    image: app\n");
    got->loaded.environment["DOCKER_DEFAULT_PLATFORM"] = "linux/s390x";
    check_supported(got->loaded, got->findings);
    EXPECT_THAT(text_of(got->findings), HasSubstr("DOCKER_DEFAULT_PLATFORM: \"linux/s390x\""));
}

TEST(BindWhole, RefusesWhatIsNoAddressWithItsLine) {
    const auto got = load_service(R"(    image: app
    networks: {n: {ipv4_address: 10.9.0.300, ipv6_address: "fd00::g"}, m: {ipv4_address: 10.9.0.3, ipv6_address: "fd00::3"}}
)",
                                  "networks: {n: {}, m: {}}\n");
    EXPECT_FALSE(got->findings.has_errors()) << "config prints it, as Docker's does";
    check_supported(got->loaded, got->findings);
    const auto text = text_of(got->findings);
    EXPECT_THAT(text,
                testing::AllOf(HasSubstr("services.a.networks.n.ipv4_address: \"10.9.0.300\" is not an IPv4 address"),
                               HasSubstr("services.a.networks.n.ipv6_address: \"fd00::g\" is not an IPv6 address")));
    EXPECT_THAT(text, testing::Not(HasSubstr("networks.m")));
    const auto other =
        load_service("    image: app\n    dns: [10.0.0.1, \"fd00::1\", ns1]\n    mac_address: 02:42:0g:00:00:01\n");
    check_supported(other->loaded, other->findings);
    EXPECT_THAT(text_of(other->findings), testing::AllOf(HasSubstr("services.a.dns: \"ns1\" is not an address"),
                                                         HasSubstr("\"02:42:0g:00:00:01\" is not a MAC address")));
    const auto good = load_service("    image: app\n    dns: 10.0.0.1\n    mac_address: 02:42:0A:00:00:01\n");
    check_supported(good->loaded, good->findings);
    EXPECT_EQ(text_of(good->findings), "");
}

TEST(BindWhole, WarnsOfAnUpdateOrderThatAnAddressForbids) {
    const auto load = [](const char* network) {
        const auto got = load_service(std::string("    image: app\n    ports: ['8080:80']\n    networks: {default: {") +
                                      network + "}}\n    deploy: {update_config: {order: start-first}}\n");
        check_supported(got->loaded, got->findings);
        return text_of(got->findings);
    };
    EXPECT_THAT(load("ipv4_address: 10.0.0.2"),
                HasSubstr("services.a.networks.default: order: start-first can't be kept"));
    EXPECT_EQ(load("priority: 1"), "");
}

TEST(BindWhole, FillsDevicesAndGpus) {
    const auto got = load_service(R"(    image: app
    devices: ["/dev/a:/dev/b:r", vendor.com/gpu=0, {source: /dev/c}]
    device_cgroup_rules: ["c 1:3 mr"]
    gpus: [{driver: nvidia, count: 2, capabilities: [compute], options: {k: v}}]
    deploy: {resources: {reservations: {memory: 1k, devices: [{capabilities: [tpu], device_ids: ["1"]}]}}}
)");
    const auto& a = got->a();
    ASSERT_EQ(a.devices.size(), 3U);
    EXPECT_EQ(a.devices[0].source, "/dev/a");
    EXPECT_EQ(a.devices[0].target, "/dev/b");
    EXPECT_EQ(a.devices[0].permissions, "r");
    EXPECT_EQ(a.devices[1].source, "vendor.com/gpu=0");
    EXPECT_EQ(a.devices[1].target, "");
    EXPECT_EQ(a.devices[2].target, "/dev/c");
    EXPECT_THAT(a.device_cgroup_rules, ElementsAre("c 1:3 mr"));
    ASSERT_EQ(a.gpus.size(), 2U);
    EXPECT_THAT(a.gpus[0].capabilities, ElementsAre("tpu"));
    EXPECT_THAT(a.gpus[0].device_ids, ElementsAre("1"));
    EXPECT_EQ(a.gpus[1].driver, "nvidia");
    EXPECT_EQ(a.gpus[1].count, 2);
    EXPECT_THAT(a.gpus[1].capabilities, ElementsAre("compute", "gpu"));
    EXPECT_THAT(a.gpus[1].options, ElementsAre(Pair("k", "v")));
    EXPECT_EQ(a.limits.mem_reservation, 1024);
}

TEST(BindWhole, FillsLimits) {
    const auto got = load_service(R"(    image: app
    cpu_shares: 512
    cpu_quota: 50ms
    cpu_period: 100000
    cpu_rt_runtime: 400us
    cpu_rt_period: "1400"
    cpuset: 0-1
    mem_reservation: 1m
    memswap_limit: -1
    mem_swappiness: 10
    oom_kill_disable: true
    oom_score_adj: -5
    blkio_config:
      weight: 300
      weight_device: [{path: /dev/a, weight: 400}]
      device_read_bps: [{path: /dev/a, rate: 1k}]
      device_write_bps: [{path: /dev/a, rate: 2k}]
      device_read_iops: [{path: /dev/a, rate: 3}]
      device_write_iops: [{path: /dev/a, rate: 4}]
)");
    const auto& limits = got->a().limits;
    EXPECT_EQ(limits.cpu_shares, 512);
    EXPECT_EQ(limits.cpu_quota, 50'000);
    EXPECT_EQ(limits.cpu_period, 100'000);
    EXPECT_EQ(limits.cpu_rt_runtime, 400);
    EXPECT_EQ(limits.cpu_rt_period, 1400);
    EXPECT_EQ(limits.cpuset, "0-1");
    EXPECT_EQ(limits.mem_reservation, 1 << 20);
    EXPECT_EQ(limits.memswap_limit, -1);
    EXPECT_EQ(limits.mem_swappiness, 10);
    EXPECT_TRUE(limits.oom_kill_disable);
    EXPECT_EQ(limits.oom_score_adj, -5);
    EXPECT_EQ(limits.blkio_weight, 300);
    EXPECT_EQ(limits.blkio_weight_device.at(0).rate, 400);
    EXPECT_EQ(limits.device_read_bps.at(0).path, "/dev/a");
    EXPECT_EQ(limits.device_read_bps.at(0).rate, 1024);
    EXPECT_EQ(limits.device_write_bps.at(0).rate, 2048);
    EXPECT_EQ(limits.device_read_iops.at(0).rate, 3);
    EXPECT_EQ(limits.device_write_iops.at(0).rate, 4);
}

TEST(BindWhole, LeavesLimitsUnsetThatNobodyGave) {
    const auto got = load_service("    image: app\n");
    const auto& a = got->a();
    EXPECT_EQ(a.limits.mem_swappiness, std::nullopt);
    EXPECT_EQ(a.limits.oom_score_adj, std::nullopt);
    EXPECT_EQ(a.limits.cpu_shares, std::nullopt);
    EXPECT_EQ(a.limits.blkio_weight, std::nullopt);
    EXPECT_EQ(a.build, std::nullopt);
    EXPECT_EQ(a.logging, std::nullopt);
    EXPECT_EQ(a.provider, std::nullopt);
    EXPECT_EQ(a.deploy.update, std::nullopt);
}

TEST(BindWhole, FillsHooksAndWatchRules) {
    const auto got = load_service(R"(    image: app
    pre_start: [{command: migrate all, per_replica: true}]
    post_start: [{command: [a, b c], user: u, privileged: true, working_dir: /w, environment: [K=V, FROM_SHELL]}]
    pre_stop: [{command: bye}]
    develop:
      watch:
        - {path: ./src, action: sync, target: /app, ignore: node_modules/, include: ["*.js"], initial_sync: true}
        - {path: ./e, action: sync+exec, target: /e, exec: {command: reload now}}
        - {path: ./r, action: sync+restart, target: /r}
        - {path: ./s, action: restart}
)");
    const auto& a = got->a();
    ASSERT_EQ(a.pre_start.size(), 1U);
    EXPECT_THAT(a.pre_start[0].command, ElementsAre("migrate", "all"));
    EXPECT_EQ(a.pre_start[0].image, "app");
    EXPECT_TRUE(a.pre_start[0].per_replica);
    ASSERT_EQ(a.post_start.size(), 1U);
    EXPECT_THAT(a.post_start[0].command, ElementsAre("a", "b c"));
    EXPECT_EQ(a.post_start[0].user, "u");
    EXPECT_TRUE(a.post_start[0].privileged);
    EXPECT_EQ(a.post_start[0].working_dir, "/w");
    EXPECT_EQ(a.post_start[0].environment.at("K"), "V");
    ASSERT_EQ(a.pre_stop.size(), 1U);
    EXPECT_THAT(a.pre_stop[0].command, ElementsAre("bye"));
    ASSERT_EQ(a.watch.size(), 4U);
    EXPECT_EQ(a.watch[0].path, "/p/src");
    EXPECT_EQ(a.watch[0].action, WatchRule::Action::sync);
    EXPECT_EQ(a.watch[0].target, "/app");
    EXPECT_THAT(a.watch[0].ignore, ElementsAre("node_modules/"));
    EXPECT_THAT(a.watch[0].include, ElementsAre("*.js"));
    EXPECT_TRUE(a.watch[0].initial_sync);
    EXPECT_EQ(a.watch[1].action, WatchRule::Action::sync_exec);
    EXPECT_THAT(a.watch[1].exec.command, ElementsAre("reload", "now"));
    EXPECT_EQ(a.watch[2].action, WatchRule::Action::sync_restart);
    EXPECT_EQ(a.watch[3].action, WatchRule::Action::restart);
}

TEST(BindWhole, FillsDeploy) {
    const auto got = load_service(R"(    image: app
    deploy:
      mode: global
      endpoint_mode: vip
      labels: {l: 1}
      update_config: {parallelism: 0, delay: 1s, failure_action: rollback, monitor: 2s, max_failure_ratio: 0.5, order: start-first}
      rollback_config: {delay: 3s}
      restart_policy: {condition: on-failure, delay: 4s, max_attempts: 5, window: 6s}
)");
    const auto& a = got->a();
    EXPECT_EQ(a.deploy.mode, "global");
    EXPECT_EQ(a.deploy.endpoint_mode, "vip");
    EXPECT_EQ(a.deploy.labels.at("l"), "1");
    ASSERT_TRUE(a.deploy.update && a.deploy.rollback);
    EXPECT_EQ(a.deploy.update->parallelism, 0);
    EXPECT_EQ(a.deploy.update->delay, 1s);
    EXPECT_EQ(a.deploy.update->failure_action, "rollback");
    EXPECT_EQ(a.deploy.update->monitor, 2s);
    EXPECT_EQ(a.deploy.update->max_failure_ratio, 0.5);
    EXPECT_EQ(a.deploy.update->order, "start-first");
    EXPECT_EQ(a.deploy.rollback->parallelism, 1);
    EXPECT_EQ(a.deploy.rollback->delay, 3s);
    EXPECT_EQ(a.deploy.restart_delay, 4s);
    EXPECT_EQ(a.deploy.restart_window, 6s);
    EXPECT_EQ(a.restart.kind, RestartPolicy::Kind::on_failure);
    EXPECT_EQ(a.restart.max_retries, 5);
}

TEST(BindWhole, FillsNamespacesLoggingAndTheRest) {
    const auto got = load_service(R"(    image: app
    ipc: shareable
    pid: host
    uts: host
    userns_mode: host
    cgroup: private
    cgroup_parent: /c
    runtime: runc
    storage_opt: {size: 1G}
    logging: {driver: local, options: {max-size: 1m, max-file: 3}}
    external_links: [old:db]
    use_api_socket: true
    pull_policy: every_1h
    models: {llm: {endpoint_var: E, model_var: M}}
    x-mine: {list: [1, two, null]}
)",
                                  "models: {llm: {model: ai/m, context_size: 4096, runtime_flags: [--x]}}\n");
    const auto& a = got->a();
    EXPECT_EQ(a.ipc, "shareable");
    EXPECT_EQ(a.pid, "host");
    EXPECT_EQ(a.uts, "host");
    EXPECT_EQ(a.userns_mode, "host");
    EXPECT_EQ(a.cgroup, "private");
    EXPECT_EQ(a.cgroup_parent, "/c");
    EXPECT_EQ(a.runtime, "runc");
    EXPECT_EQ(a.storage_opt.at("size"), "1G");
    ASSERT_TRUE(a.logging);
    EXPECT_EQ(a.logging->driver, "local");
    EXPECT_THAT(a.logging->options, ElementsAre(Pair("max-file", "3"), Pair("max-size", "1m")));
    EXPECT_EQ(a.logging->pos.line, 12U);
    EXPECT_THAT(a.external_links, ElementsAre("old:db"));
    EXPECT_TRUE(a.use_api_socket);
    ASSERT_EQ(a.models.size(), 1U);
    EXPECT_EQ(a.models[0].model, "llm");
    EXPECT_EQ(a.models[0].endpoint_var, "E");
    EXPECT_EQ(a.models[0].model_var, "M");
    EXPECT_EQ(a.extensions.at("x-mine"), R"({"list":[1,"two",null]})");
    const auto& model = got->loaded.project.models.at("llm");
    EXPECT_EQ(model.model, "ai/m");
    EXPECT_EQ(model.context_size, 4096);
    EXPECT_THAT(model.runtime_flags, ElementsAre("--x"));
}

TEST(BindWhole, FillsAProvider) {
    const auto got = load_service("    provider: {type: cloud, options: {size: big, zone: [a, b]}}\n");
    ASSERT_TRUE(got->a().provider);
    EXPECT_EQ(got->a().provider->type, "cloud");
    EXPECT_THAT(got->a().provider->options.at("size"), ElementsAre("big"));
    EXPECT_THAT(got->a().provider->options.at("zone"), ElementsAre("a", "b"));
    EXPECT_TRUE(got->a().networks.empty());
}

TEST(BindWhole, WaitsForWhatItSharesNamespacesLinksOrVolumesWith) {
    const auto got = load_service(R"(    image: app
    links: [b:database]
    volumes_from: [c:ro, "container:other"]
    ipc: service:d
    pid: service:e
)",
                                  "  b: {image: app}\n  c: {image: app}\n  d: {image: app}\n  e: {image: app}\n");
    const auto& a = got->a();
    EXPECT_THAT(a.links, ElementsAre("b:database"));
    EXPECT_THAT(a.volumes_from, ElementsAre("c:ro", "container:other"));
    std::map<std::string, bool> restarts;
    for (const auto& need : a.depends_on) {
        restarts[need.service] = need.restart;
        EXPECT_EQ(need.condition, Condition::started);
        EXPECT_TRUE(need.required);
    }
    EXPECT_THAT(restarts, ElementsAre(Pair("b", true), Pair("c", false), Pair("d", true), Pair("e", true)));
}

TEST(BindWhole, KeepsTheConditionThatAFileAlreadyAsksFor) {
    const auto got = load_service(R"(    image: app
    network_mode: service:b
    depends_on: {b: {condition: service_healthy}}
)",
                                  "  b: {image: app}\n");
    ASSERT_EQ(got->a().depends_on.size(), 1U);
    EXPECT_EQ(got->a().depends_on[0].condition, Condition::healthy);
    EXPECT_EQ(got->a().network_mode, "service:b");
}

}  // namespace
}  // namespace compose
