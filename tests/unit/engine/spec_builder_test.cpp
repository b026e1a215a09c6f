// Service + image -> what is run, as tables.
#include "engine/spec_builder.hpp"

#include <compose/error.hpp>

#include <gtest/gtest.h>

#include "engine/record_builder.hpp"
#include "supervisor/host_ports.hpp"

namespace compose::engine {
namespace {

using Words = std::vector<std::string>;

struct Case {
    const char* name;
    std::optional<Words> entrypoint, command;
    Words image_entrypoint, image_command;
    Words expected;
};

TEST(SpecBuilder, EntrypointAndCommandFollowDockersRules) {
    const Case cases[] = {
        {"both of the image", {}, {}, {"/e"}, {"c"}, {"/e", "c"}},
        {"the command replaces the image's", {}, Words{"x"}, {"/e"}, {"c"}, {"/e", "x"}},
        {"an empty command clears the image's", {}, Words{}, {"/e"}, {"c"}, {"/e"}},
        {"an entrypoint resets the image's command", Words{"/n"}, {}, {"/e"}, {"c"}, {"/n"}},
        {"an entrypoint keeps the service's command", Words{"/n"}, Words{"x"}, {"/e"}, {"c"}, {"/n", "x"}},
        {"an empty entrypoint clears both", Words{}, {}, {"/e"}, {"c"}, {}},
        {"an empty entrypoint leaves the command", Words{}, Words{"x"}, {"/e"}, {"c"}, {"x"}},
    };
    for (const Case& c : cases) {
        Service service;
        service.entrypoint = c.entrypoint;
        service.command = c.command;
        ImageFacts image;
        image.entrypoint = c.image_entrypoint;
        image.command = c.image_command;
        EXPECT_EQ(effective_args(service, image), c.expected) << c.name;
    }
}

TEST(SpecBuilder, TheServicesEnvironmentWinsAndCanRemove) {
    Service service;
    service.environment = {{"A", "1"}, {"GONE", std::nullopt}, {"EMPTY", ""}};
    ImageFacts image;
    image.environment = {"PATH=/bin", "A=0", "GONE=x", "EMPTY=y"};
    EXPECT_EQ(effective_environment(service, image), (Words{"PATH=/bin", "A=1", "EMPTY="}));
}

ContainerFacts facts() {
    ContainerFacts f;
    f.id = "0123456789abcdef" + std::string(48, '0');
    f.name = "p-web-1";
    f.folder = "/s/containers/x";
    f.layer_folders = {"/s/layers/2", "/s/layers/1"};
    f.installation_id = "11223344";
    f.host_name = "machine";
    return f;
}

TEST(SpecBuilder, AContainerHasItsFolderItsFilesAndItsShortIdAsName) {
    Service service;
    service.networks.emplace_back();
    ImageFacts image;
    image.command = {"sleep"};
    image.user = "postgres";
    image.working_dir = "srv";
    const runtime::ContainerSpec spec = build_spec(service, image, facts());
    EXPECT_EQ(spec.hostname, "0123456789ab");
    EXPECT_EQ(spec.upper, "/s/containers/x/upper");
    EXPECT_EQ(spec.work, "/s/containers/x/work");
    EXPECT_EQ(spec.hosts_file, "/s/containers/x/hosts");
    EXPECT_EQ(spec.lower, (Words{"/s/layers/2", "/s/layers/1"}));
    EXPECT_EQ(spec.cgroup_parent, "compose/11223344");
    EXPECT_EQ(spec.process.user, "postgres");
    EXPECT_EQ(spec.process.cwd, "/srv");
    EXPECT_EQ(spec.network, runtime::NamespaceMode::own);
    EXPECT_EQ(spec.resources.pids, 2048);
    EXPECT_EQ(spec.shm_size, 64 << 20);
}

TEST(SpecBuilder, NetworkModes) {
    Service service;
    EXPECT_EQ(network_kind(service), NetworkKind::none);
    service.networks.emplace_back();
    EXPECT_EQ(network_kind(service), NetworkKind::own);
    service.network_mode = "host";
    EXPECT_EQ(network_kind(service), NetworkKind::host);
    const runtime::ContainerSpec spec = build_spec(service, {}, facts());
    EXPECT_EQ(spec.network, runtime::NamespaceMode::host);
    EXPECT_EQ(spec.hostname, "machine");
    service.network_mode = "service:x";
    EXPECT_EQ(network_kind(service), NetworkKind::joined);
    ContainerFacts joined = facts();
    joined.network_of = "p-x-1";
    const runtime::ContainerSpec other = build_spec(service, {}, joined);
    EXPECT_EQ(other.network, runtime::NamespaceMode::joined);
    EXPECT_EQ(other.network_of, "p-x-1");
    EXPECT_EQ(other.hostname, "");
}

TEST(SpecBuilder, Mounts) {
    Service service;
    Mount bind;
    bind.type = Mount::Type::bind;
    bind.source = "/host";
    bind.target = "/b";
    bind.read_only = true;
    bind.recursive = "writable";
    Mount volume;
    volume.source = "data";
    volume.target = "/v";
    Mount anonymous;
    anonymous.target = "/a";
    Mount memory;
    memory.type = Mount::Type::tmpfs;
    memory.target = "/t";
    memory.tmpfs_size = 65536;
    memory.tmpfs_mode = 01777;
    memory.tmpfs_options = "noexec";
    service.mounts = {bind, volume, anonymous, memory};
    ImageFacts image;
    image.volumes = {"/v", "/i"};
    EXPECT_EQ(anonymous_volume_targets(service, image), (Words{"/a", "/i"}));
    ContainerFacts f = facts();
    f.volume_names = {{"/v", "p_data"}, {"/a", "1"}, {"/i", "2"}};
    f.volume_folders = {{"/v", "/s/volumes/data/_data"}, {"/a", "/s/volumes/1/_data"}, {"/i", "/s/volumes/2/_data"}};
    const runtime::ContainerSpec spec = build_spec(service, image, f);
    ASSERT_EQ(spec.mounts.size(), 5U);
    EXPECT_EQ(spec.mounts[0].source, "/host");
    EXPECT_TRUE(spec.mounts[0].read_only);
    EXPECT_FALSE(spec.mounts[0].recursive_read_only);
    EXPECT_EQ(spec.mounts[0].propagation, "rprivate");
    EXPECT_EQ(spec.mounts[1].source, "/s/volumes/data/_data");
    EXPECT_EQ(spec.mounts[2].source, "/s/volumes/1/_data");
    EXPECT_EQ(spec.mounts[3].kind, runtime::MountSpec::Kind::tmpfs);
    EXPECT_EQ(spec.mounts[3].options, "noexec,size=65536,mode=1777");
    EXPECT_EQ(spec.mounts[4].target, "/i");
}

TEST(SpecBuilder, LimitsAndRights) {
    Service service;
    service.pids_limit = 0;
    service.mem_limit = 1 << 20;
    service.ulimits["nofile"] = {10, 20};
    service.security_opt = {"no-new-privileges:true", "seccomp=unconfined"};
    service.sysctls["net.core.somaxconn"] = "9";
    const runtime::ContainerSpec spec = build_spec(service, {}, facts());
    EXPECT_EQ(spec.resources.pids, -1);
    EXPECT_EQ(spec.resources.memory, 1 << 20);
    ASSERT_EQ(spec.rlimits.size(), 1U);
    EXPECT_EQ(spec.rlimits[0].hard, 20);
    EXPECT_TRUE(spec.no_new_privileges);
    EXPECT_TRUE(spec.seccomp_unconfined);
}

TEST(SpecBuilder, Confinement) {
    Service service;
    ContainerFacts known = facts();
    known.apparmor = "standard";
    known.labels = {"a:b:c:s0", "a:b:d:s0"};
    EXPECT_EQ(build_spec(service, {}, known).apparmor, "standard");
    EXPECT_EQ(build_spec(service, {}, known).process_label, "a:b:c:s0");
    EXPECT_EQ(build_spec(service, {}, known).mount_label, "a:b:d:s0");
    service.security_opt = {"apparmor=unconfined", "label=type:c", "label:level:s0"};
    EXPECT_EQ(build_spec(service, {}, known).apparmor, "");
    EXPECT_EQ(label_options(service), (std::vector<std::string>{"type:c", "level:s0"}));
    service.security_opt.clear();
    service.privileged = true;
    EXPECT_EQ(build_spec(service, {}, known).apparmor, "");
}

TEST(SpecBuilder, NamespacesLimitsAndDevices) {
    Service service;
    service.ipc = "none";
    service.pid = "host";
    service.uts = "host";
    service.cgroup_parent = "/a//b";
    service.security_opt = {"seccomp:/x:y.json", "systempaths=unconfined", "writable-cgroups"};
    service.devices = {{"/dev/fuse", "", "rw", {}}, {"v.com/c=n", "", "", {}}};
    service.limits.cpu_shares = 512;
    service.limits.memswap_limit = 0;
    service.limits.device_read_bps = {{"/dev/sda", 1024}};
    const runtime::ContainerSpec spec = build_spec(service, {}, facts());
    EXPECT_FALSE(spec.shared_memory);
    EXPECT_FALSE(spec.joinable_ipc);
    EXPECT_EQ(spec.pid, runtime::NamespaceMode::host);
    EXPECT_EQ(spec.hostname, "machine");
    EXPECT_EQ(spec.cgroup_parent, "/a/b");
    EXPECT_TRUE(spec.unprotected_paths);
    EXPECT_TRUE(spec.writable_cgroups);
    EXPECT_EQ(seccomp_profile_path(service), "/x:y.json");
    ASSERT_EQ(spec.devices.size(), 1U) << "names of CDI are not paths";
    EXPECT_EQ(spec.devices[0].target, "/dev/fuse");
    EXPECT_EQ(spec.resources.cpu_shares, 512U);
    EXPECT_FALSE(spec.resources.memory_swap) << "0 is not set";
    ASSERT_EQ(spec.resources.read_bps.size(), 1U);
    EXPECT_EQ(spec.resources.read_bps[0].rate, 1024U);
    // What is stored comes back as it was.
    EXPECT_EQ(runtime::to_json(runtime::spec_from_json(runtime::to_json(spec))), runtime::to_json(spec));
}

TEST(RecordBuilder, LabelsAreDockerComposes) {
    Project project;
    project.name = "p";
    project.working_dir = "/w";
    project.config_files = {"/w/a.yaml", "/w/b.yaml"};
    Service service;
    service.name = "web";
    service.config_hash = "hash";
    service.labels = {{"mine", "1"}, {"com.docker.compose.project", "forged"}};
    Dependency dependency;
    dependency.service = "db";
    dependency.condition = Condition::healthy;
    service.depends_on = {dependency};
    ImageFacts image;
    image.id = "sha256:1";
    Labels labels = container_labels(project, service, image, 3);
    labels.erase("com.docker.compose.version");
    EXPECT_EQ(labels, (Labels{{"com.docker.compose.config-hash", "hash"},
                              {"com.docker.compose.container-number", "3"},
                              {"com.docker.compose.depends_on", "db:service_healthy:false"},
                              {"com.docker.compose.image", "sha256:1"},
                              {"com.docker.compose.oneoff", "False"},
                              {"com.docker.compose.project", "p"},
                              {"com.docker.compose.project.config_files", "/w/a.yaml,/w/b.yaml"},
                              {"com.docker.compose.project.working_dir", "/w"},
                              {"com.docker.compose.service", "web"},
                              {"mine", "1"}}));
}

TEST(RecordBuilder, AHealthCheckIsTheImagesOverriddenFieldByField) {
    using namespace std::chrono_literals;
    Service service;
    ImageFacts image;
    EXPECT_FALSE(effective_health(service, image));
    image.healthcheck.emplace();
    image.healthcheck->test = {"CMD", "probe", "-x"};
    image.healthcheck->interval = 7s;
    image.healthcheck->retries = 9;
    auto health = effective_health(service, image);
    ASSERT_TRUE(health);
    EXPECT_EQ(health->command, (Words{"probe", "-x"}));
    EXPECT_EQ(health->timeout, 30s);
    service.healthcheck.emplace();
    service.healthcheck->interval = 2s;
    health = effective_health(service, image);
    EXPECT_EQ(health->interval, 2s);
    EXPECT_EQ(health->retries, 9);
    service.healthcheck->test = {"CMD-SHELL", "exit 0"};
    EXPECT_EQ(effective_health(service, image)->command, (Words{"/bin/sh", "-c", "exit 0"}));
    image.shell = {"/bin/bash", "-euc"};
    EXPECT_EQ(effective_health(service, image)->command, (Words{"/bin/bash", "-euc", "exit 0"}));
    service.healthcheck->disabled = true;
    EXPECT_FALSE(effective_health(service, image));
    service.healthcheck.reset();
    image.healthcheck->disabled = true;
    image.healthcheck->test = {"NONE"};
    EXPECT_FALSE(effective_health(service, image));
}

TEST(RecordBuilder, RestartTexts) {
    using Kind = RestartPolicy::Kind;
    EXPECT_EQ(restart_text({Kind::no, 0}), "no");
    EXPECT_EQ(restart_text({Kind::always, 0}), "always");
    EXPECT_EQ(restart_text({Kind::unless_stopped, 0}), "unless-stopped");
    EXPECT_EQ(restart_text({Kind::on_failure, 0}), "on-failure");
    EXPECT_EQ(restart_text({Kind::on_failure, 3}), "on-failure:3");
}

TEST(RecordBuilder, TheSupervisorTakesPublishedPortsAndSkipsExposedOnes) {
    Service service;
    service.networks.emplace_back();
    Port port;
    port.target = 80;
    port.published = true;
    port.published_first = 8000;
    port.published_last = 8010;
    port.host_ip = "127.0.0.1";
    service.ports.push_back(port);
    service.expose = {"80", "9000-9001/udp"};
    ImageFacts image;
    image.exposed = {"5432/tcp", "nonsense"};
    const auto exposed = exposed_ports(service, image);
    ASSERT_EQ(exposed.size(), 4U);
    EXPECT_EQ(exposed[1].port, 5432);
    const auto wishes = supervisor::port_wishes_from_json(ports_json(service, image));
    ASSERT_EQ(wishes.size(), 1U);
    EXPECT_EQ(wishes[0].first, 8000);
    EXPECT_EQ(wishes[0].last, 8010);
    EXPECT_EQ(wishes[0].host_ip, "127.0.0.1");
    EXPECT_EQ(wishes[0].container_port, 80);
    EXPECT_EQ(ports_json({}, {}), "");
    service.network_mode = "none";  // nothing can be reached there
    EXPECT_TRUE(supervisor::port_wishes_from_json(ports_json(service, image)).empty());
}

}  // namespace
}  // namespace compose::engine
