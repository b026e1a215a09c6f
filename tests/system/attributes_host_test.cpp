// Attributes whose effect is seen from the host, or in what commands say: limits in cgroup files, labels, names, groups
// of attributes that mean nothing here.
#include <filesystem>

#include <gmock/gmock.h>

#include "base/strings.hpp"
#include "support/sandbox.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A cgroup file of a container, read on the host; v1 only.
std::string limit(const Sandbox& box, const std::string& service, const std::string& controller,
                  const std::string& file) {
    const auto pid = std::to_string(box.pid_of("demo-" + service + "-1"));
    const auto line = box.host({"sh", "-c", "grep -E '(:|,)" + controller + "(,|:)' /proc/" + pid + "/cgroup"}).out;
    const auto path = line.substr(line.rfind(':') + 1);
    return box.host({"cat", "/sys/fs/cgroup/" + controller + path.substr(0, path.find('\n')) + "/" + file}).out;
}

bool has_v1() {
    return std::filesystem::exists("/sys/fs/cgroup/memory/memory.limit_in_bytes");
}

/// The first block device of this host, its path and its number; nothing without one.
std::pair<std::string, std::string> block_device(const Sandbox& box) {
    for (const char* path : {"/dev/vda", "/dev/sda", "/dev/nvme0n1", "/dev/xvda", "/dev/loop0"})
        if (std::filesystem::is_block_file(path)) {
            auto number = box.host({"lsblk", "-dno", "MAJ:MIN", path}).out;
            std::erase_if(number, [](char c) { return c == ' ' || c == '\n'; });
            return {path, number};
        }
    return {};
}

/// A block device whose requests BFQ orders for a while, where the kernel has it.
class Scheduler {
public:
    Scheduler(const Sandbox& box, const std::string& device)
        : box_(box), file_("/sys/block/" + device.substr(5) + "/queue/scheduler") {
        old_ = trim(box.host({"sh", "-c", "sed 's/.*\\[\\(.*\\)\\].*/\\1/' " + file_}).out);
        set("bfq");
    }
    ~Scheduler() { set(old_); }
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

private:
    void set(const std::string& name) const { (void)box_.host({"sh", "-c", "echo " + name + " > " + file_}); }

    const Sandbox& box_;
    std::string file_, old_;
};

TEST(HostLimits, MemoryWithSwapAndWhatDeploySays) {
    REQUIRE_ROOT();
    if (!has_v1()) GTEST_SKIP() << "the names are those of cgroup v1";
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  swap: {image: busybox, command: sleep 1000, mem_limit: 64m, memswap_limit: 96m}
  twice: {image: busybox, command: sleep 1000, mem_limit: 64m}
  free: {image: busybox, command: sleep 1000, mem_limit: 64m, memswap_limit: -1, pids_limit: -1}
  deploy:
    image: busybox
    command: sleep 1000
    deploy: {resources: {limits: {cpus: "0.25", memory: 48M, pids: 55}, reservations: {memory: 24M}}}
  less: {image: busybox, command: sleep 1000, mem_limit: 64m, memswap_limit: 32m, profiles: [x]}
  alone: {image: busybox, command: sleep 1000, memswap_limit: 32m, profiles: [x]}
)");
    box.ok({"up", "-d"});
    if (std::filesystem::exists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes")) {
        EXPECT_EQ(limit(box, "swap", "memory", "memory.memsw.limit_in_bytes"), "100663296\n");
        EXPECT_EQ(limit(box, "twice", "memory", "memory.memsw.limit_in_bytes"), "134217728\n");
        EXPECT_GT(std::stoll(limit(box, "free", "memory", "memory.memsw.limit_in_bytes")), 1LL << 50);
    }
    EXPECT_EQ(limit(box, "free", "pids", "pids.max"), "max\n");
    EXPECT_EQ(limit(box, "deploy", "cpu", "cpu.cfs_quota_us"), "25000\n");
    EXPECT_EQ(limit(box, "deploy", "memory", "memory.limit_in_bytes"), "50331648\n");
    EXPECT_EQ(limit(box, "deploy", "memory", "memory.soft_limit_in_bytes"), "25165824\n");
    EXPECT_EQ(limit(box, "deploy", "pids", "pids.max"), "55\n");
    EXPECT_THAT(box.fails({"up", "-d", "less"}),
                testing::AllOf(HasSubstr("compose.yaml:10:"), HasSubstr("less than the memory limit")));
    EXPECT_THAT(box.fails({"up", "-d", "alone"}),
                testing::AllOf(HasSubstr("compose.yaml:11:"), HasSubstr("it takes a memory limit too")));
}

TEST(HostLimits, BlockDevices) {
    REQUIRE_ROOT();
    if (!std::filesystem::exists("/sys/fs/cgroup/blkio/blkio.throttle.read_bps_device"))
        GTEST_SKIP() << "the names are those of cgroup v1";
    Sandbox box;
    const auto [path, number] = block_device(box);
    if (path.empty()) GTEST_SKIP() << "this host has no block device";
    const std::string rates = "[{path: " + path + ", rate: ";
    box.write("compose.yaml", R"(
services:
  rates:
    image: busybox
    command: sleep 1000
    blkio_config:
      device_read_bps: )" + rates +
                                  R"(1mb}]
      device_write_bps: )" + rates +
                                  R"("2097152"}]
      device_read_iops: )" + rates +
                                  R"(30}]
      device_write_iops: )" + rates +
                                  R"(40}]
  weight: {image: busybox, command: sleep 1000, profiles: [w], blkio_config: {weight: 300}}
  device: {image: busybox, command: sleep 1000, profiles: [w], blkio_config: {weight_device: [{path: )" +
                                  path + R"(, weight: 400}]}}
)");
    box.ok({"up", "-d"});
    EXPECT_EQ(limit(box, "rates", "blkio", "blkio.throttle.read_bps_device"), number + " 1048576\n");
    EXPECT_EQ(limit(box, "rates", "blkio", "blkio.throttle.write_bps_device"), number + " 2097152\n");
    EXPECT_EQ(limit(box, "rates", "blkio", "blkio.throttle.read_iops_device"), number + " 30\n");
    EXPECT_EQ(limit(box, "rates", "blkio", "blkio.throttle.write_iops_device"), number + " 40\n");
    // Shares exist where the BFQ scheduler does; a host without them says so.
    const auto shares = box.compose({"up", "-d", "weight"});
    if (shares.exit_code == 0)
        EXPECT_THAT(limit(box, "weight", "blkio", "blkio.bfq.weight") + limit(box, "weight", "blkio", "blkio.weight"),
                    HasSubstr("300"));
    else
        EXPECT_THAT(shares.err, HasSubstr("this host can't limit the share of block I/O"));
    const Scheduler bfq(box, path);
    const auto one = box.compose({"up", "-d", "device"});
    if (one.exit_code == 0)
        EXPECT_THAT(limit(box, "device", "blkio", "blkio.bfq.weight_device"), HasSubstr(number + " 400"));
    else
        EXPECT_THAT(one.err, HasSubstr("this host can't limit a device's share of block I/O"));
    box.ok({"--profile", "w", "down", "-t", "0"});
}

TEST(HostLimits, RealTime) {
    REQUIRE_ROOT();
    if (!std::filesystem::exists("/sys/fs/cgroup/cpu/cpu.rt_runtime_us"))
        GTEST_SKIP() << "this kernel shares out no real time";
    Sandbox box;
    box.write("compose.yaml",
              "services: {a: {image: busybox, command: sleep 1000, cpu_rt_period: 500000, cpu_rt_runtime: 20000}}\n");
    box.ok({"up", "-d"});
    EXPECT_EQ(limit(box, "a", "cpu", "cpu.rt_period_us"), "500000\n");
    EXPECT_EQ(limit(box, "a", "cpu", "cpu.rt_runtime_us"), "20000\n");
}

TEST(Described, LabelsNamesAndAnnotations) {
    REQUIRE_ROOT();
    Sandbox box;
    box.environment["HERE"] = "yes";
    box.write("labels.env", "from.file=1\nboth=file\n");
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    labels: {both: direct, list: "a,b"}
    label_file: [labels.env]
    annotations: {com.example.note: kept}
    expose: ["70", "80-82/udp"]
    volumes: [{type: volume, source: data, target: /data}]
  none: {image: busybox, scale: 0}
networks: {default: {name: named-net, labels: {net: "1"}, attachable: true}}
volumes: {data: {name: named-volume, labels: {vol: "1"}}}
)");
    box.ok({"up", "-d"});
    const auto labels = box.field("demo-web-1", "Labels");
    for (const char* label : {"from.file=1", "both=direct", "list=a,b"}) EXPECT_THAT(labels, HasSubstr(label));
    EXPECT_EQ(box.field("demo-web-1", "Ports"), "70/tcp, 80-82/udp");
    EXPECT_THAT(box.ok({"container", "inspect", "demo-web-1"}), HasSubstr("\"com.example.note\": \"kept\""));
    EXPECT_THAT(box.ok({"network", "inspect", "named-net"}),
                testing::AllOf(HasSubstr("\"net\": \"1\""), HasSubstr("\"Attachable\": true")));
    EXPECT_THAT(box.ok({"volume", "inspect", "named-volume"}), HasSubstr("\"vol\": \"1\""));
    EXPECT_EQ(box.ps().size(), 1U) << "a scale of 0 is a service without containers";
    box.ok({"down", "-v"});
    // What belongs to nobody is used, and left.
    box.ok({"network", "create", "theirs"});
    box.ok({"volume", "create", "kept"});
    box.write("compose.yaml", R"(
services: {web: {image: busybox, command: sleep 1000, stop_grace_period: 0s, volumes: ["data:/data"]}}
networks: {default: {external: true, name: theirs}}
volumes: {data: {external: true, name: kept}}
)");
    box.ok({"up", "-d"});
    box.ok({"exec", "-T", "web", "touch", "/data/x"});
    EXPECT_THAT(box.ok({"network", "inspect", "theirs"}), HasSubstr("demo-web-1"));
    box.ok({"down", "-v"});
    box.ok({"network", "rm", "theirs"});
    EXPECT_EQ(box.ok({"volume", "ls", "-q"}), "kept\n");
    box.ok({"volume", "rm", "kept"});
    EXPECT_THAT(box.fails({"up", "-d"}), HasSubstr("theirs"));
}

TEST(Described, WhatMeansNothingHereIsWarnedOfAndTheRestRefused) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(services:
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    cpu_count: 2
    cpu_percent: 50
    isolation: default
    credential_spec: {file: spec.json}
    deploy:
      mode: global
      endpoint_mode: vip
      placement: {constraints: ["node.role == manager"]}
      resources: {reservations: {cpus: "0.1"}}
)");
    const auto said = box.compose({"up", "-d"});
    EXPECT_EQ(said.exit_code, 0) << said.err;
    for (const char* what :
         {"cpu_count is ignored", "cpu_percent is ignored", "isolation is ignored", "credential_spec is ignored",
          "endpoint_mode is ignored", "placement is ignored", "cpus is ignored"})
        EXPECT_THAT(said.err, HasSubstr(what));
    const struct {
        const char* body;
        const char* error;
    } refused[] = {
        {"runtime: kata", "\"kata\" is not here"},
        {"platform: linux/s390x", "\"linux/s390x\""},
        {"security_opt: ['apparmor=no-such-profile']", "AppArmor"},
        {"use_api_socket: true", "use_api_socket"},
        {"userns_mode: private", "\"private\" is not implemented yet"},
        {"volumes: [{type: npipe, source: x, target: /x}]", "npipe"},
        {"volumes: [{type: cluster, source: x, target: /x}]", "cluster"},
        {"logging: {driver: gelf}", "logging driver \"gelf\" is not here"},
        {"secrets: [far]", "no store of secrets outside of the file"},
        {"ports: ['80:80/sctp']", "\"sctp\" is not implemented yet"},
        {"healthcheck: {start_interval: 1s}", "start_interval needs start_period"},
    };
    for (const auto& [body, error] : refused) {
        box.write("bad.yaml", std::string("services: {a: {image: busybox, command: sleep 1, ") + body +
                                  "}}\nsecrets: {far: {external: true}}\n");
        const auto text = box.fails({"-f", "bad.yaml", "-p", "bad", "up", "-d"});
        EXPECT_THAT(text, HasSubstr(error)) << body;
        EXPECT_THAT(text, HasSubstr("bad.yaml:")) << body;
    }
}

TEST(Health, HealthcheckKeysTakeEffect) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  off: {image: busybox, command: sleep 1000, healthcheck: {disable: true}}
  none: {image: busybox, command: sleep 1000, healthcheck: {test: [NONE]}}
  slow:
    image: busybox
    command: sleep 1000
    healthcheck: {test: [CMD, sleep, "60"], interval: 50ms, timeout: 100ms, retries: 2}
  starting:
    image: busybox
    command: sleep 1000
    healthcheck: {test: [CMD, "false"], interval: 50ms, retries: 1, start_period: 10m}
  eager:
    image: busybox
    command: sleep 1000
    healthcheck: {test: "echo x >> /n", interval: 10m, start_period: 10m, start_interval: 50ms}
)");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-off-1", "Health"), "");
    EXPECT_EQ(box.field("demo-none-1", "Health"), "");
    EXPECT_TRUE(eventually([&] { return box.field("demo-slow-1", "Health") == "unhealthy"; }));
    EXPECT_TRUE(eventually([&] { return box.field("demo-eager-1", "Health") == "healthy"; }))
        << "an interval of 10 minutes does not hold while it starts";
    EXPECT_EQ(box.field("demo-starting-1", "Health"), "starting");
    EXPECT_THAT(box.ok({"explain", "slow"}), HasSubstr("exceeded timeout (100ms)"));
}

TEST(Depends, OptionalOnesAndRestartsThatSpread) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  db: {image: busybox, command: sleep 1000, stop_grace_period: 0s}
  broken: {image: busybox, command: "false"}
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    depends_on:
      db: {condition: service_started, restart: true}
      broken: {condition: service_completed_successfully, required: false}
  plain: {image: busybox, command: sleep 1000, stop_grace_period: 0s, depends_on: [db]}
)");
    const auto said = box.compose({"up", "-d"});
    EXPECT_EQ(said.exit_code, 0) << said.err;
    EXPECT_THAT(said.err, HasSubstr("Skipped optional dependency \"broken\" failed to start: "));
    const int web = box.pid_of("demo-web-1");
    const int plain = box.pid_of("demo-plain-1");
    box.ok({"restart", "--no-deps", "db"});
    EXPECT_EQ(box.pid_of("demo-web-1"), web);
    box.ok({"restart", "db"});
    EXPECT_NE(box.pid_of("demo-web-1"), web);
    EXPECT_EQ(box.pid_of("demo-plain-1"), plain);
}

}  // namespace
}  // namespace compose::test
