// What `docker` tells of containers: inspect as Docker's API has it, top with the options of ps, reclaimed space.
#include <gmock/gmock.h>

#include "support/course.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

TEST(DockerShow, InspectTellsWhatWasAskedFor) {
    REQUIRE_ROOT();
    Course box;
    box.run("docker volume create data");
    box.run(
        "docker create --name one --entrypoint /bin/echo -w /tmp -u 1:2 -v data:/data -v /srv:/srv:ro -v /anonymous "
        "--mount type=bind,source=/usr,target=/u,readonly --tmpfs /scratch:size=1m -p 127.0.0.1:18080:80 --expose "
        "90/udp "
        "--log-driver json-file --log-opt max-size=1m --restart on-failure:3 --cap-add NET_ADMIN --cap-drop CHOWN "
        "--read-only --dns 192.0.2.1 --add-host a.test:192.0.2.9 --sysctl net.ipv4.ip_forward=1 --cpu-quota 50000 "
        "--cpuset-cpus 0 --stop-signal SIGINT busybox a 'b c'");
    const auto show = [&](const std::string& format) { return box.run("docker inspect -f '" + format + "' one"); };
    EXPECT_EQ(show("{{json .Config.Entrypoint}} {{json .Config.Cmd}}"), R"(["/bin/echo"] ["a","b c"])");
    EXPECT_EQ(show("{{.Path}} {{json .Args}}"), R"(/bin/echo ["a","b c"])");
    EXPECT_EQ(show("{{.Config.WorkingDir}} {{.Config.User}} {{.Config.StopSignal}}"), "/tmp 1:2 SIGINT");
    EXPECT_EQ(show("{{json .Config.Volumes}}"), R"({"/anonymous":{}})");
    EXPECT_EQ(show("{{json .Config.ExposedPorts}}"), R"({"90/udp":{},"80/tcp":{}})");
    EXPECT_EQ(show("{{json .HostConfig.PortBindings}}"), R"({"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"18080"}]})");
    EXPECT_EQ(show("{{json .HostConfig.Binds}}"), R"(["data:/data:rw","/srv:/srv:ro"])");
    EXPECT_EQ(show("{{range .HostConfig.Mounts}}{{.Type}} {{.Source}} {{.Target}} {{.ReadOnly}}{{end}}"),
              "bind /usr /u true");
    EXPECT_THAT(show("{{json .HostConfig.Tmpfs}}"), HasSubstr("\"/scratch\":\"size=1m"));
    EXPECT_EQ(show("{{.HostConfig.LogConfig.Type}} {{index .HostConfig.LogConfig.Config \"max-size\"}}"),
              "json-file 1m");
    EXPECT_EQ(show("{{.HostConfig.RestartPolicy.Name}}:{{.HostConfig.RestartPolicy.MaximumRetryCount}}"),
              "on-failure:3");
    EXPECT_EQ(show("{{.HostConfig.CapAdd}} {{.HostConfig.CapDrop}}"), "[NET_ADMIN] [CHOWN]");
    EXPECT_EQ(show("{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Privileged}}"), "true false");
    EXPECT_EQ(
        show("{{.HostConfig.Dns}} {{.HostConfig.ExtraHosts}} {{.HostConfig.CpuQuota}} {{.HostConfig.CpusetCpus}}"),
        "[192.0.2.1] [a.test:192.0.2.9] 50000 0");
    EXPECT_EQ(show("{{index .HostConfig.Sysctls \"net.ipv4.ip_forward\"}}"), "1");
    // The image's own command where nothing else was said.
    box.run("docker create --name two busybox");
    EXPECT_EQ(box.run("docker inspect two | jq -c '.[0].Config | [.Entrypoint, .Volumes, .User]'"),
              R"([null,null,""])");
}

// The names of Docker's API, which scripts read; what a container was not given has an empty value.
TEST(DockerShow, InspectHasAllOfDockersFields) {
    REQUIRE_ROOT();
    Course box;
    box.run(
        "docker create --name one --health-cmd 'test -e /x' --health-start-interval 2s -P --expose 80 -m 64m "
        "--pids-limit 33 --cpu-shares 77 --group-add 5 --ipc shareable --init --oom-score-adj 5 --annotation a=b "
        "--security-opt no-new-privileges --ulimit nofile=10:20 --shm-size 1m --device /dev/null:/dev/x:rw "
        "--stop-timeout 3 busybox true");
    const auto missing = [&](const char* part, const std::string& names) {
        return box.run("docker inspect one | jq -r --arg names '" + names + "' '(.[0]" + part +
                       " | keys) as $have | $names | split(\" \") - $have | join(\" \")'");
    };
    EXPECT_EQ(missing("",
                      "Id Created Path Args State Image ResolvConfPath HostnamePath HostsPath LogPath Name "
                      "RestartCount Driver Platform MountLabel ProcessLabel AppArmorProfile ExecIDs HostConfig "
                      "GraphDriver Mounts Config NetworkSettings"),
              "");
    EXPECT_EQ(missing(".State",
                      "Status Running Paused Restarting OOMKilled Dead Pid ExitCode Error StartedAt FinishedAt "
                      "Health"),
              "");
    EXPECT_EQ(
        missing(
            ".HostConfig",
            "AutoRemove Binds BlkioDeviceReadBps BlkioDeviceReadIOps BlkioDeviceWriteBps BlkioDeviceWriteIOps "
            "BlkioWeight BlkioWeightDevice CapAdd CapDrop Cgroup CgroupParent CgroupnsMode ConsoleSize ContainerIDFile "
            "CpuCount CpuPercent CpuPeriod CpuQuota CpuRealtimePeriod CpuRealtimeRuntime CpuShares CpusetCpus "
            "CpusetMems DeviceCgroupRules DeviceRequests Devices Dns DnsOptions DnsSearch ExtraHosts GroupAdd "
            "IOMaximumBandwidth IOMaximumIOps Init IpcMode Isolation Links LogConfig MaskedPaths Memory "
            "MemoryReservation MemorySwap MemorySwappiness NanoCpus NetworkMode OomKillDisable OomScoreAdj PidMode "
            "PidsLimit PortBindings Privileged PublishAllPorts ReadonlyPaths ReadonlyRootfs RestartPolicy Runtime "
            "SecurityOpt ShmSize UTSMode Ulimits UsernsMode VolumeDriver VolumesFrom"),
        "");
    EXPECT_EQ(missing(".Config",
                      "Hostname Domainname User AttachStdin AttachStdout AttachStderr ExposedPorts Tty "
                      "OpenStdin StdinOnce Env Cmd Healthcheck Image Volumes WorkingDir Entrypoint OnBuild "
                      "Labels StopTimeout"),
              "");
    EXPECT_EQ(missing(".NetworkSettings",
                      "Bridge SandboxID SandboxKey Ports HairpinMode LinkLocalIPv6Address "
                      "LinkLocalIPv6PrefixLen SecondaryIPAddresses SecondaryIPv6Addresses EndpointID "
                      "Gateway GlobalIPv6Address GlobalIPv6PrefixLen IPAddress IPPrefixLen IPv6Gateway "
                      "MacAddress Networks"),
              "");
    const auto show = [&](const std::string& format) { return box.run("docker inspect -f '" + format + "' one"); };
    EXPECT_EQ(show("{{json .Config.Healthcheck.Test}} {{.Config.Healthcheck.StartInterval}}"),
              R"(["CMD-SHELL","test -e /x"] 2000000000)");
    EXPECT_EQ(show("{{with .HostConfig}}{{.Memory}} {{.MemorySwap}} {{.PidsLimit}} {{.CpuShares}} {{.GroupAdd}} "
                   "{{.IpcMode}} {{.Init}} {{.OomScoreAdj}} {{.ShmSize}} {{.PublishAllPorts}}{{end}}"),
              "67108864 134217728 33 77 [5] shareable true 5 1048576 true");
    EXPECT_EQ(show("{{range .HostConfig.Ulimits}}{{.Name}}={{.Soft}}:{{.Hard}}{{end}} {{.HostConfig.SecurityOpt}} "
                   "{{(index .HostConfig.Devices 0).PathInContainer}} {{.HostConfig.Annotations.a}}"),
              "nofile=10:20 [no-new-privileges] /dev/x b");
    EXPECT_THAT(show("{{.HostConfig.MaskedPaths}} {{.HostConfig.ReadonlyPaths}}"),
                testing::AllOf(HasSubstr("/proc/kcore"), HasSubstr("/proc/sysrq-trigger")));
    EXPECT_EQ(box.run("docker create --name two --privileged busybox true >/dev/null; docker inspect -f '{{json "
                      ".HostConfig.MaskedPaths}}' two"),
              "null");
    // An image's template may name what the image doesn't have.
    EXPECT_EQ(
        box.run("docker image inspect -f '{{.Config.Env}} {{.Config.User}} {{len .Config.Labels}} {{.Os}}' busybox"),
        "[]  0 linux");
}

TEST(DockerShow, CommitKeepsEntrypointAndCommandApart) {
    REQUIRE_ROOT();
    Course box;
    box.run("docker create --name one --entrypoint echo busybox a b");
    box.run("docker commit one made:1");
    EXPECT_EQ(box.run("docker inspect -f '{{json .Config.Entrypoint}} {{json .Config.Cmd}}' made:1"),
              R"(["echo"] ["a","b"])");
    EXPECT_EQ(box.run("docker run --rm made:1 c"), "c");
}

TEST(DockerShow, TopTakesOptionsOfPs) {
    REQUIRE_ROOT();
    Course box;
    box.run("docker run -d --name web busybox sleep 1d");
    EXPECT_THAT(box.run("docker top web"), MatchesRegex("UID +PID +PPID +C +STIME +TTY +TIME +CMD\nroot .*sleep 1d"));
    EXPECT_THAT(box.run("docker top web aux"),
                MatchesRegex("USER +PID +%CPU +%MEM +VSZ +RSS .*COMMAND\nroot .*sleep 1d"));
    const auto pid = box.run("docker inspect -f '{{.State.Pid}}' web");
    EXPECT_THAT(box.run("docker top web -o pid,comm"), MatchesRegex("PID +COMMAND\n" + pid + " +sleep"));
    EXPECT_THAT(box.run("docker top web -eo pid=NUMBER"), MatchesRegex("NUMBER *\n" + pid));
    EXPECT_EQ(box.run("docker top web -o args= | tail -1"), "sleep 1d");
    const auto column = box.sh("docker top web -o pid,nosuch");
    EXPECT_EQ(column.exit_code, 1);
    EXPECT_THAT(column.err, HasSubstr("\"nosuch\" is no column of ps"));
    EXPECT_NE(box.code("docker top web --forest"), 0);
}

TEST(DockerShow, CompletesDockersGrammar) {
    Course box;
    EXPECT_THAT(box.run("docker __complete com"), MatchesRegex("commit\t.*\ncompletion\t.*\ncompose\t.*"));
    EXPECT_THAT(box.run("docker __complete container pau"), testing::StartsWith("pause\t"));
    EXPECT_THAT(box.run("docker __complete compose u"), HasSubstr("up\t"));
    EXPECT_THAT(box.run("docker __complete -D run --read"), HasSubstr("--read-only\t"));
    EXPECT_THAT(box.run("docker completion bash"), HasSubstr("complete -F _docker docker"));
    box.run(
        "bash -c 'source <(docker completion bash); COMP_WORDS=(docker imag); COMP_CWORD=1; _docker; "
        "[ \"${COMPREPLY[*]}\" = \"images image\" ]'");
}

TEST(DockerShow, BuildersCacheIsCountedAndPruned) {
    REQUIRE_ROOT();
    Course box;
    box.write("b/Dockerfile", "FROM busybox\nRUN dd if=/dev/zero of=/big bs=1024 count=2000\n");
    box.run("docker build -q -t made b && docker rmi made");
    const auto row = [&] {
        return box.run("docker system df --format '{{.Type}}: {{.TotalCount}} {{.Size}}' | grep Build");
    };
    EXPECT_THAT(row(), MatchesRegex("Build Cache: [1-9].* 2\\.0.*MB"));
    EXPECT_EQ(box.run("docker builder prune -f --filter until=1h"), "Total reclaimed space: 0B");
    EXPECT_THAT(row(), HasSubstr("MB"));
    EXPECT_THAT(box.run("docker builder prune -f"), HasSubstr("Total reclaimed space: 2.0"));
    EXPECT_EQ(row(), "Build Cache: 0 0B");
}

TEST(DockerShow, SharedLayersCountOnce) {
    REQUIRE_ROOT();
    Course box;
    EXPECT_EQ(box.run("docker images --format '{{.VirtualSize}} {{.SharedSize}} {{.UniqueSize}}'"),
              box.run("docker images --format '{{.Size}} N/A N/A'"));
    const auto size = [&] {
        return box.run("docker system df --format '{{.Type}} {{.TotalCount}} {{.Active}} {{.Size}}' | grep Images");
    };
    const auto before = size();
    box.write("b/Dockerfile", "FROM busybox\nLABEL a=b\nCOPY Dockerfile /\n");
    box.run("docker build -q -t made b && docker create --name one made");
    const auto last = before.substr(before.rfind(' '));
    EXPECT_NE(last, " 0B");
    EXPECT_EQ(size(), "Images 2 1" + last);
    EXPECT_EQ(box.run("docker system df --format '{{.Type}} {{.Reclaimable}}' | grep Images"), "Images 0B (0%)");
    box.run("docker rm one && docker system prune -af");
    EXPECT_EQ(size(), "Images 0 0 0B");
    EXPECT_EQ(box.run("docker system df --format '{{.Type}} {{.TotalCount}}' | grep Build"), "Build Cache 0");
}

TEST(DockerShow, AContainerHasTheLabelsOfItsImageToo) {
    REQUIRE_ROOT();
    Course box;
    box.write("b/Dockerfile",
              "FROM busybox\nLABEL a=image b=image com.docker.compose.project=other com.docker.compose.replace=x\n");
    box.write("compose.yaml", "services: {web: {image: made, command: sleep 1000, labels: {b: own}}}\n");
    box.run("docker build -q -t made b && docker create --name one --label b=own made");
    box.ok({"up", "-d"});
    for (const char* name : {"one", "demo-web-1"}) {
        EXPECT_EQ(box.run("docker inspect -f '{{.Config.Labels.a}} {{.Config.Labels.b}}' " + std::string(name)),
                  "image own");
        EXPECT_THAT(box.run("docker ps -a --filter label=a=image --format '{{.Names}}'"), HasSubstr(name));
    }
    EXPECT_THAT(box.run("docker inspect one"), Not(HasSubstr("com.docker.compose"))) << "an image owns no containers";
    EXPECT_EQ(box.run("docker inspect -f '{{index .Config.Labels \"com.docker.compose.project\"}}' demo-web-1"),
              "demo");
    EXPECT_THAT(box.run("docker inspect demo-web-1"), Not(HasSubstr("compose.replace")));
    box.ok({"down", "-t", "0"});
    box.run("docker rm one");
}

TEST(DockerShow, PruneTellsWhatItFreed) {
    REQUIRE_ROOT();
    Course box;
    EXPECT_EQ(box.run("docker container prune -f"), "Total reclaimed space: 0B");
    const auto id = box.run("docker create busybox true");
    box.run("docker run busybox dd if=/dev/zero of=/tmp/big bs=1024 count=2000");
    const auto out = box.run("docker container prune -f");
    EXPECT_THAT(out, HasSubstr("Deleted Containers:\n"));
    EXPECT_THAT(out, HasSubstr(id));
    EXPECT_THAT(out, HasSubstr("\n\nTotal reclaimed space: 2.0"));
}

}  // namespace
}  // namespace compose::test
