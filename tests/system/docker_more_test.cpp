// Under the name `docker`: what scripts ask of the program itself, live changes of containers, disk use and clean-up.
#include <gmock/gmock.h>

#include "support/course.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

TEST(DockerMore, TellsWhereItRuns) {
    REQUIRE_ROOT();
    Course box;
    EXPECT_EQ(box.run("docker context show"), "default");
    EXPECT_THAT(box.run("docker context ls"), HasSubstr("default *"));
    EXPECT_EQ(box.run("docker context ls -q"), "default");
    EXPECT_EQ(box.run("docker context inspect | jq -r '.[0].Name'"), "default");
    EXPECT_EQ(box.code("docker context use default >/dev/null"), 0);
    EXPECT_EQ(box.code("docker context use remote"), 1);
    EXPECT_EQ(box.run("docker version --format '{{.Server.Version}}'"), box.run("docker info -f '{{.ServerVersion}}'"));
    EXPECT_EQ(box.code("docker --context default -H unix:///var/run/docker.sock ps -q"), 0);
    EXPECT_THAT(box.run("docker buildx ls --format '{{.Name}}'; docker buildx version"),
                MatchesRegex("default\ncompose [0-9.]+"));
    // What is meant for another machine doesn't run on this one.
    EXPECT_THAT(box.sh("DOCKER_HOST=tcp://192.0.2.1:2375 docker run -d --name here busybox sleep 1d").err,
                HasSubstr("there is no daemon to talk to"));
    EXPECT_THAT(box.sh("docker -H ssh://there ps").err, HasSubstr("there is no daemon to talk to"));
    EXPECT_EQ(box.run("docker ps -aq"), "");
    for (const char* line : {"docker swarm init", "docker search nginx", "docker volume update v",
                             "docker volume create --sharing all", "docker --tlsverify ps"}) {
        const auto result = box.sh(line);
        EXPECT_EQ(result.exit_code, 1) << line;
        EXPECT_THAT(result.err, HasSubstr("is not supported: ")) << line;
    }
}

TEST(DockerMore, UpdateChangesLimitsOfWhatRuns) {
    REQUIRE_ROOT();
    Course box;
    box.run("docker run -d --name one --cpuset-mems 0 busybox sleep 1d");
    EXPECT_EQ(box.run("docker exec one grep Mems_allowed_list /proc/self/status | cut -f2"), "0");
    const auto limit = [&](const char* field) {
        return box.run(std::string("docker inspect -f '{{.HostConfig.") + field + "}}' one");
    };
    EXPECT_EQ(limit("CpusetMems"), "0");
    box.run("docker update --cpu-quota 20000 --cpu-period 50000 --memory-reservation 10m -m 100m one");
    EXPECT_EQ(limit("CpuQuota") + " " + limit("CpuPeriod") + " " + limit("MemoryReservation") + " " + limit("Memory"),
              "20000 50000 10485760 104857600");
    EXPECT_EQ(limit("MemorySwap"), "209715200");
    // The last word about the CPUs counts.
    box.run("docker update --cpus 0.5 one");
    EXPECT_EQ(limit("CpuQuota") + " " + limit("NanoCpus"), "0 500000000");
    EXPECT_EQ(box.code("docker update --cpus 1 --cpu-quota 5000 one"), 1);
    EXPECT_EQ(box.code("docker update --cpuset-mems 0-x one"), 1);
    // Bad targets are told, the others are done.
    const auto result = box.sh("docker update -m 90m nobody one ../x");
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.out, "one\n");
    EXPECT_THAT(result.err, HasSubstr("no such container: nobody"));
    EXPECT_EQ(limit("Memory"), "94371840");
}

TEST(DockerMore, ConnectGivesAddressesNamesAndLinks) {
    REQUIRE_ROOT();
    Course box;
    box.run("docker network create --ipv6 --subnet 10.77.0.0/24 --subnet fd00:77::/64 net");
    box.run("docker run -d --name db --network net busybox sleep 1d");
    box.run("docker run -d --name app busybox sleep 1d");
    box.run(
        "docker network connect --ip 10.77.0.9 --ip6 fd00:77::9 --link db:base --link-local-ip 169.254.9.9 "
        "--driver-opt com.docker.network.endpoint.ifname=net0 net app");
    const auto addresses = box.run("docker exec app ip -o addr show net0");
    for (const char* address : {"10.77.0.9/24", "fd00:77::9/64", "169.254.9.9/16"})
        EXPECT_THAT(addresses, HasSubstr(address));
    EXPECT_EQ(box.run("docker inspect -f '{{(index .NetworkSettings.Networks \"net\").GlobalIPv6Address}}' app"),
              "fd00:77::9");
    EXPECT_THAT(box.run("docker exec app ping -c1 -W5 base"), HasSubstr("1 packets received"));
    // The name is its own: nobody else knows it.
    EXPECT_NE(box.code("docker exec db ping -c1 -W1 base"), 0);
    // One that asks for nothing gets an address of each family, too.
    box.run("docker run -d --name late busybox sleep 1d && docker network connect net late");
    EXPECT_THAT(box.run("docker exec late ip -o addr"), HasSubstr("fd00:77::"));
    EXPECT_EQ(box.code("docker network disconnect net late"), 0);
    for (const char* flags : {"--ip 10.77.0.9", "--ip6 fd00:77::9", "--ip6 fd00:88::1", "--link-local-ip 192.0.2.1",
                              "--driver-opt x=y", "--link :", "--gw-priority x"})
        EXPECT_EQ(box.code(std::string("docker network connect ") + flags + " net late"), 1) << flags;
    EXPECT_EQ(box.run("docker inspect -f '{{len .NetworkSettings.Networks}}' late"), "1");
    box.run("docker rm -f db app late && docker network rm net");
}

TEST(DockerMore, TheDefaultRouteMovesWithTheNetworks) {
    REQUIRE_ROOT();
    Course box;
    box.run(
        "docker network create --ipv6 first; docker network create --ipv6 second; docker network create --internal in");
    box.run("docker run -d --name app --network first -p 8083:80 busybox httpd -f -p 80 -h /var/data");
    box.run("docker network connect second app; docker network connect in app");
    const auto routes = [&] {
        return box.run("docker exec app sh -c 'ip route; ip -6 route' | grep ^default | cut -d' ' -f5");
    };
    const auto serves = [&] {
        return eventually(
            [&] { return box.sh("busybox wget -qO- http://127.0.0.1:8083/seed").out == "from the image\n"; });
    };
    EXPECT_EQ(routes(), "eth0\neth0");
    EXPECT_TRUE(serves());
    box.run("docker network disconnect first app");
    EXPECT_EQ(routes(), "eth1\neth1");
    EXPECT_TRUE(serves());
    box.run("docker restart -t 0 app");
    EXPECT_EQ(routes(), "eth1\neth1");
    EXPECT_TRUE(serves());
    // An internal network leads nowhere.
    box.run("docker network disconnect second app");
    EXPECT_EQ(box.run("docker exec app ip route | grep -c default || true"), "0");
    box.run("docker network connect first app");
    EXPECT_THAT(routes(), MatchesRegex("eth[0-9]\neth[0-9]"));
    EXPECT_TRUE(serves());
    // A higher priority takes it, and gives it back.
    box.run("docker network connect --gw-priority 5 second app");
    const auto second = box.run("docker network inspect -f '{{(index .IPAM.Config 0).Gateway}}' second");
    EXPECT_EQ(box.run("docker exec app ip route | grep ^default | cut -d' ' -f3"), second);
    EXPECT_TRUE(serves());
    EXPECT_EQ(box.run("docker network inspect second | jq -r '.[0].Containers[].IPv6Address' | grep -c /64"), "1");
    box.run("docker network disconnect second app");
    EXPECT_THAT(routes(), MatchesRegex("eth[0-9]\neth[0-9]"));
    EXPECT_TRUE(serves());
    box.run("docker rm -f app && docker network rm first second in");
}

TEST(DockerMore, LogsTellDetails) {
    REQUIRE_ROOT();
    Course box;
    box.run(
        "docker run --name one -l color=red -l other=x -e MODE=a,b --log-opt labels=color,nosuch --log-opt env=MODE "
        "--log-opt 'tag={{.Name}}' busybox echo hello");
    EXPECT_EQ(box.run("docker logs --details one"), "MODE=a%2Cb,color=red,tag=one hello");
    EXPECT_THAT(box.run("docker logs --details -t one"), MatchesRegex("20.*Z MODE=.* hello"));
    EXPECT_EQ(box.run("docker logs one"), "hello");
}

TEST(DockerMore, MountsAreShownAsTheyWereAskedFor) {
    REQUIRE_ROOT();
    Course box;
    box.run(
        "docker create --name one -v short:/s --mount source=long,target=/l,readonly "
        "--mount type=tmpfs,destination=/t,tmpfs-size=1m busybox true");
    EXPECT_EQ(box.run("docker inspect -f '{{json .HostConfig.Binds}}' one"), R"(["short:/s:rw"])");
    EXPECT_EQ(box.run("docker inspect one | jq -c '.[0].HostConfig.Mounts'"),
              R"([{"Type":"volume","Source":"long","Target":"/l","ReadOnly":true},)"
              R"({"Type":"tmpfs","Target":"/t","TmpfsOptions":{"SizeBytes":1048576}}])");
    EXPECT_EQ(box.run("docker inspect one | jq -r '.[0].Mounts[] | select(.Type == \"volume\") | .Name' | sort"),
              "long\nshort");
}

TEST(DockerMore, ImagesHaveEvents) {
    REQUIRE_ROOT();
    Course box;
    box.run("docker tag busybox other:1 && docker rmi other:1 && docker save busybox > image.tar");
    box.run("docker tag busybox kept:1 && docker load -q -i image.tar");
    const auto events = box.run(
        "docker events --since 1h --until 0s --filter type=image --format '{{.Action}} {{.Actor.Attributes.name}}'");
    for (const char* line : {"import busybox", "tag other:1", "untag other:1", "save sha256:", "load busybox:latest"})
        EXPECT_THAT(events, HasSubstr(line));
}

TEST(DockerMore, ContainersHaveDockersEvents) {
    REQUIRE_ROOT();
    Course box;
    box.run(
        "docker run -d --name one --health-cmd true --health-interval 100ms busybox sleep 1d; docker rename one two; "
        "docker update -m 64m two; docker pause two; docker unpause two; docker exec two true; docker cp "
        "two:/etc/passwd "
        ".; docker cp passwd two:/tmp; docker export two > tar; docker commit two kept; docker kill -s HUP two; until "
        "[ \"$(docker inspect -f '{{.State.Health.Status}}' two)\" = healthy ]; do sleep 0.05; done; docker restart -t "
        "0 "
        "two; docker stop -t 0 two; docker rm two");
    const auto actions = box.run("docker events --since 1h --until 0s --filter type=container --format '{{.Action}}'");
    for (const char* action : {"create", "start", "rename", "update", "pause", "unpause", "exec_create: true",
                               "exec_start: true", "exec_die", "archive-path", "extract-to-dir", "export", "commit",
                               "kill", "die", "restart", "stop", "destroy", "health_status: healthy"})
        EXPECT_THAT("\n" + actions + "\n", HasSubstr(std::string("\n") + action + "\n"));
    EXPECT_THAT(
        box.run("docker events --since 1h --until 0s -f event=rename --format '{{.Status}} {{.From}} {{.Scope}} "
                "{{.ID}} {{.TimeNano}}'"),
        MatchesRegex("rename busybox local [0-9a-f]{64} [0-9]{19}"));
    EXPECT_THAT(box.run("docker events --since 1h --until 0s -f event=health_status --format '{{.Action}}' | sort -u"),
                HasSubstr("health_status: healthy"));
}

TEST(DockerMore, NetworksThatCannotBeMadeSayWhy) {
    REQUIRE_ROOT();
    Course box;
    for (const char* flags :
         {"-d overlay", "-d macvlan -o parent=nosuch0", "-d ipvlan -o parent=nosuch0", "--ipv4=false", "-o nosuch=1",
          "--scope swarm", "-o com.docker.network.bridge.gateway_mode_ipv4=proxied", "--ipam-driver dhcp",
          "--config-only", "--subnet 10.0.0.0/33", "--gateway 10.1.1.1"}) {
        const auto result = box.sh(std::string("docker network create ") + flags + " net");
        EXPECT_EQ(result.exit_code, 1) << flags;
        EXPECT_THAT(result.err, HasSubstr("error: ")) << flags;
    }
    EXPECT_EQ(box.code("docker network create -o com.docker.network.bridge.gateway_mode_ipv4=routed net"), 0);
    const auto gone = box.sh("docker run --rm --network nosuch busybox true");
    EXPECT_EQ(gone.exit_code, 125);
    EXPECT_THAT(gone.err, HasSubstr("network nosuch not found"));
    box.run("docker network rm net");
}

TEST(DockerMore, DiskUseOneByOne) {
    REQUIRE_ROOT();
    Course box;
    box.write("b/Dockerfile", "FROM busybox\nRUN dd if=/dev/zero of=/big bs=1024 count=2000\n");
    box.run("docker build -q -t made b && docker create --name one -v data:/d made");
    const auto text = box.run("docker system df -v");
    for (const char* part : {"SHARED SIZE", "LOCAL VOLUMES", "VOLUME NAME", "Build cache usage: 2.0"})
        EXPECT_THAT(text, HasSubstr(part));
    EXPECT_EQ(box.run("docker system df -v --format '{{range .Images}}{{.Repository}} {{.Containers}} {{end}}'"),
              "made 1 busybox 0");
    EXPECT_THAT(box.run("docker system df -v --format json | jq -c '.Volumes[0]'"), HasSubstr(R"("Links":"1")"));
    EXPECT_EQ(box.run("docker system df -v --format json | jq -r '.Images[] | select(.Repository == \"made\") | "
                      ".SharedSize != \"0B\" and .UniqueSize != \"0B\"'"),
              "true");
}

TEST(DockerMore, BuildersCacheGoesByWhatIsAskedFor) {
    REQUIRE_ROOT();
    Course box;
    const auto build = [&](const char* name, int kilobytes) {
        box.write(std::string(name) + "/Dockerfile",
                  "FROM busybox\nRUN dd if=/dev/zero of=/big bs=1024 count=" + std::to_string(kilobytes) + "\n");
        box.run(std::string("docker build -q -t ") + name + " " + name);
    };
    const auto steps = [&] { return box.run("docker buildx du --format '{{.Size}} {{.Shared}}'"); };
    build("kept", 2000);
    build("gone", 3000);
    box.run("docker rmi gone");
    EXPECT_THAT(steps(), MatchesRegex("2.0.*MB true\n3.0.*MB false"));
    // Enough may stay; then what no image shares goes; and all of it only when that is asked for.
    box.run("docker builder prune -f --keep-storage 1gb");
    EXPECT_THAT(steps(), HasSubstr("false"));
    EXPECT_THAT(box.run("docker builder prune -f"), HasSubstr("Total reclaimed space: 3.0"));
    EXPECT_THAT(steps(), MatchesRegex("2.0.*MB true"));
    box.run("docker system prune -f --filter until=1h");
    EXPECT_THAT(steps(), Not(testing::IsEmpty()));
    box.run("docker builder prune -af");
    EXPECT_EQ(steps(), "");
    EXPECT_EQ(box.code("docker run --rm --pull never kept true"), 0);
}

TEST(DockerMore, PruneLeavesWhatTheFiltersKeep) {
    REQUIRE_ROOT();
    Course box;
    box.run("docker create --name old busybox true; docker create --name marked -l keep busybox true");
    box.run("docker network create loose; docker network create -o com.docker.network.driver.mtu=1400 --label keep n2");
    box.run("docker system prune -f --filter until=1h");
    EXPECT_EQ(box.run("docker ps -aq | wc -l; docker network ls -q -f type=custom | wc -l"), "2\n2");
    box.run("docker system prune -f --filter label!=keep");
    EXPECT_EQ(box.run("docker ps -a --format '{{.Names}}'; docker network ls -f type=custom --format '{{.Name}}'"),
              "marked\nn2");
    EXPECT_EQ(box.code("docker system prune -f --volumes --filter until=1h"), 1);
    EXPECT_EQ(box.code("docker system prune -f --filter until=yesterday"), 1);
    box.run("docker rm marked; docker network rm n2");
}

}  // namespace
}  // namespace compose::test
