// What a Docker course teaches, under the name `docker`: containers, files, networks, images, terminals.
#include <filesystem>

#include <gmock/gmock.h>

#include "base/strings.hpp"
#include "support/background.hpp"
#include "support/course.hpp"
#include "support/terminal.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

TEST(Docker, TheRoadOfContainers) {
    REQUIRE_ROOT();
    Course box;
    EXPECT_EQ(box.run("docker run busybox echo hi"), "hi");
    const auto id = box.run("docker run -d --name sleeper busybox sleep 1d");
    EXPECT_THAT(id, MatchesRegex("[0-9a-f]{64}"));
    EXPECT_THAT(box.run("docker ps"), HasSubstr("CONTAINER ID   IMAGE"));
    EXPECT_THAT(box.run("docker ps"), HasSubstr("\"sleep 1d\""));
    EXPECT_EQ(box.run("docker ps -q"), id.substr(0, 12));
    EXPECT_EQ(box.run("docker ps -a --format '{{.Names}} {{.State}}' | grep -c exited"), "1");
    EXPECT_THAT(box.run("docker ps -s"), HasSubstr("0B (virtual "));
    EXPECT_EQ(box.run("docker container ls -q --no-trunc"), id);
    EXPECT_EQ(box.run("docker container ls -a -q | wc -l"), "2");
    EXPECT_EQ(box.run("docker exec sleeper cat /var/data/seed"), "from the image");
    EXPECT_EQ(box.run("docker pause sleeper"), "sleeper");
    EXPECT_THAT(box.run("docker ps"), HasSubstr("(Paused)"));
    EXPECT_EQ(box.run("docker unpause sleeper"), "sleeper");
    EXPECT_EQ(box.run("docker stop -t 0 sleeper"), "sleeper");
    EXPECT_EQ(box.run("docker inspect -f '{{.State.Status}}' sleeper"), "exited");
    EXPECT_EQ(box.run("docker start " + id.substr(0, 6)), id.substr(0, 6));
    EXPECT_EQ(box.run("docker inspect -f '{{.State.Running}}' sleeper"), "true");
    EXPECT_EQ(box.code("docker rm sleeper"), 1);
    EXPECT_EQ(box.run("docker rm --force sleeper"), "sleeper");
    box.run("docker run -d busybox sleep 1d");
    box.run("docker run -d busybox sleep 1d");
    box.run("docker stop -t 0 $(docker container ls -q)");
    box.run("docker rm $(docker container ls -aq)");
    EXPECT_EQ(box.run("docker ps -aq"), "");
}

TEST(Docker, NothingIsLeftByRm) {
    REQUIRE_ROOT();
    Course box;
    EXPECT_EQ(box.run("docker run --rm -v /anonymous busybox sh -c 'echo one > /anonymous/f; echo out'"), "out");
    EXPECT_EQ(box.run("docker ps -aq; docker volume ls -q"), "");
    // The writable layer goes with the container; the image stays as it was.
    box.run("docker run --name first busybox sh -c 'echo changed > /var/data/seed'");
    EXPECT_EQ(box.run("docker run --rm busybox cat /var/data/seed"), "from the image");
    EXPECT_EQ(box.run("docker diff first"), "C /var\nC /var/data\nC /var/data/seed");
    // In the background its supervisor sees to it.
    box.run("docker run -d --rm --name short busybox sleep 0.2");
    EXPECT_TRUE(eventually([&] { return box.run("docker ps -a -q -f name=short").empty(); }));
}

TEST(Docker, PortsVolumesAndMounts) {
    REQUIRE_ROOT();
    Course box;
    box.write("page/index.html", "hello from the host\n");
    box.run("docker run -d --name web -p 8080:80 -v \"$PWD\"/page:/www busybox httpd -f -p 80 -h /www");
    EXPECT_TRUE(
        eventually([&] { return box.sh("busybox wget -qO- http://127.0.0.1:8080/").out == "hello from the host\n"; }));
    EXPECT_THAT(box.run("docker port web"), testing::StartsWith("80/tcp -> 0.0.0.0:8080"));
    EXPECT_THAT(box.run("docker port web 80"), testing::StartsWith("0.0.0.0:8080"));
    EXPECT_EQ(box.code("docker port web 81"), 1);
    EXPECT_THAT(box.sh("docker run -d -p 8080:80 busybox sleep 1d").err, HasSubstr("web"));
    EXPECT_EQ(box.code("docker run --rm -p 8080:80 busybox true"), 125);
    box.run("docker rm -f web");
    EXPECT_EQ(box.run("docker volume create myvol"), "myvol");
    box.run("docker run --rm -v myvol:/app busybox sh -c 'echo kept > /app/f'");
    EXPECT_EQ(box.run("docker run --rm --mount source=myvol,target=/app busybox cat /app/f"), "kept");
    EXPECT_THAT(box.run("docker volume ls"), HasSubstr("local     myvol"));
    EXPECT_EQ(box.run("docker run --rm --mount type=bind,source=\"$PWD\"/page,target=/b busybox cat /b/index.html"),
              "hello from the host");
    for (const char* flag : {"--mount type=tmpfs,destination=/app", "--tmpfs /app"})
        EXPECT_THAT(box.run(std::string("docker run --rm ") + flag + " busybox sh -c 'mount | grep /app'"),
                    HasSubstr("on /app type tmpfs"));
    box.run("docker run -d --name user -v myvol:/v busybox sleep 1d");
    EXPECT_THAT(box.sh("docker volume rm myvol").err, HasSubstr("user"));
    box.run("docker rm -f user");
    EXPECT_EQ(box.run("docker volume rm myvol"), "myvol");
    EXPECT_EQ(box.run("docker volume ls -q"), "");
}

TEST(Docker, PublishesAllExposedPorts) {
    REQUIRE_ROOT();
    Course box;
    EXPECT_EQ(box.code("docker run -d -P --expose 80 --name web busybox httpd -f -p 80 -h /var/data"), 0);
    const auto port = box.run("docker port web 80 | cut -d: -f2");
    EXPECT_TRUE(eventually(
        [&] { return box.sh("busybox wget -qO- http://127.0.0.1:" + port + "/seed").out == "from the image\n"; }));
}

TEST(Docker, Networks) {
    REQUIRE_ROOT();
    Course box;
    const auto list = box.run("docker network ls --format '{{.Name}} {{.Driver}} {{.Scope}}'");
    EXPECT_EQ(list, "bridge bridge local\nhost host local\nnone null local");
    const auto bridge = box.run("docker network ls -q -f name=bridge --no-trunc");
    EXPECT_EQ(box.run("docker run --rm --network none busybox ip -o link | wc -l"), "1");
    EXPECT_EQ(box.run("docker run --rm --network host busybox hostname"), box.run("hostname"));
    box.run("docker network create --driver bridge app-net");
    box.run("docker run -d --name db --network app-net busybox sleep 1d");
    EXPECT_THAT(box.run("docker run --rm --network app-net busybox ping -c1 -W5 db"), HasSubstr("1 packets received"));
    // The default network has addresses but no names.
    box.run("docker run -d --name loner busybox sleep 1d");
    EXPECT_EQ(box.run("docker network inspect -f '{{.Id}}' bridge"), bridge);
    const auto address = box.run("docker inspect -f '{{.NetworkSettings.IPAddress}}' loner");
    EXPECT_THAT(box.run("docker run --rm busybox ping -c1 -W5 " + address), HasSubstr("1 packets received"));
    EXPECT_NE(box.code("docker run --rm busybox ping -c1 -W1 loner"), 0);
    // A running container joins and leaves.
    box.run("docker network connect --alias friend app-net loner");
    EXPECT_THAT(box.run("docker exec loner ping -c1 -W5 db"), HasSubstr("1 packets received"));
    EXPECT_THAT(box.run("docker exec db ping -c1 -W5 friend"), HasSubstr("1 packets received"));
    EXPECT_EQ(box.code("docker network connect app-net loner"), 1);
    EXPECT_THAT(box.sh("docker network rm app-net").err, HasSubstr("db"));
    EXPECT_EQ(box.run("docker inspect -f '{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{end}}' loner"),
              "app-net bridge");
    box.run("docker network disconnect app-net loner");
    EXPECT_NE(box.code("docker exec loner ping -c1 -W1 db"), 0);
    EXPECT_THAT(box.run("docker exec loner ip -o addr"), Not(HasSubstr("eth1")));
    EXPECT_EQ(box.code("docker network disconnect app-net loner"), 1);
    EXPECT_EQ(box.code("docker network rm bridge"), 1);
    box.run("docker rm -f db");
    EXPECT_EQ(box.run("docker network rm app-net"), "app-net");
}

TEST(Docker, ProjectsAndHandsShareNetworksAndVolumes) {
    REQUIRE_ROOT();
    Course box;
    box.write("compose.yaml", R"(
services:
  app: {image: busybox, command: sleep 1d, volumes: ["data:/data"]}
volumes: {data: }
)");
    box.run("docker compose up -d");
    EXPECT_THAT(box.run("docker compose ps"), HasSubstr("demo-app-1"));
    EXPECT_THAT(box.run("docker ps"), HasSubstr("demo-app-1"));
    EXPECT_THAT(box.run("docker run --rm --network demo_default busybox ping -c1 -W5 app"),
                HasSubstr("1 packets received"));
    box.run("docker run --rm -v demo_data:/d busybox sh -c 'echo shared > /d/f'");
    EXPECT_EQ(box.run("docker exec demo-app-1 cat /data/f"), "shared");
    EXPECT_EQ(box.run("docker compose ps --format json | jq -r .State"), "running");
    box.run("docker compose down -v -t 0");
    EXPECT_EQ(box.run("docker ps -aq"), "");
}

TEST(Docker, Images) {
    REQUIRE_ROOT();
    Course box;
    EXPECT_THAT(box.run("docker images"), HasSubstr("busybox      latest"));
    EXPECT_EQ(box.run("docker image ls -q | wc -l"), "1");
    EXPECT_THAT(box.run("docker inspect --type image -f '{{.RepoTags}} {{.Architecture}}' busybox"),
                "[busybox:latest] amd64");
    box.run("docker run --name maker busybox sh -c 'echo made > /made'");
    EXPECT_THAT(box.run("docker commit -m 'a file' maker made:1.0"), StartsWith("sha256:"));
    EXPECT_EQ(box.run("docker run --rm made:1.0 cat /made"), "made");
    EXPECT_THAT(box.sh("docker rmi busybox").err, HasSubstr("maker"));
    box.run("docker rm maker");
    box.run("docker rmi made:1.0");
    EXPECT_EQ(box.run("docker image ls -q | wc -l"), "1");
    EXPECT_EQ(box.code("docker rmi nosuch"), 1);
}

TEST(Docker, BuildsAnImage) {
    REQUIRE_ROOT();
    Course box;
    box.write("app/Dockerfile",
              "FROM busybox\nWORKDIR /srv\nCOPY page .\nRUN echo built > made\nEXPOSE 80\n"
              "CMD [\"cat\", \"page\", \"made\"]\n");
    box.write("app/page", "copied\n");
    box.run("cd app && docker build -t student/app:1.0 .");
    EXPECT_EQ(box.run("docker run --rm student/app:1.0"), "copied\nbuilt");
    EXPECT_THAT(box.run("docker history student/app:1.0"), HasSubstr("RUN"));
    EXPECT_THAT(box.run("docker images student/app"), HasSubstr("1.0"));
    EXPECT_EQ(box.run("docker inspect -f '{{.Config.WorkingDir}} {{json .Config.ExposedPorts}}' student/app:1.0"),
              "/srv {\"80/tcp\":{}}");
    box.run("docker tag student/app:1.0 student/app:2.0 && docker rmi student/app:1.0");
    EXPECT_EQ(box.run("docker run --rm student/app:2.0 cat made"), "built");
    box.run("docker rmi --force student/app:2.0");
    EXPECT_EQ(box.code("docker run --rm --pull never student/app:2.0"), 125);
}

TEST(Docker, ImagesGoToARegistryAndBack) {
    REQUIRE_ROOT();
    Course box;
    box.environment["DOCKER_CONFIG"] = box.path("config");
    const TestRegistry registry(box, {.user = "student", .password = "secret"});
    const auto& host = registry.host();
    const auto name = registry.name("student/app:1.0");
    box.run("docker tag busybox " + name);
    EXPECT_EQ(box.code("docker push " + name), 1);
    EXPECT_EQ(box.code("echo wrong | docker login -u student --password-stdin " + host), 1);
    EXPECT_THAT(box.run("echo secret | docker login -u student --password-stdin " + host),
                HasSubstr("Login Succeeded"));
    EXPECT_THAT(box.run("docker push " + name), HasSubstr("sha256:"));
    box.run("docker rmi " + name);
    box.run("docker pull " + name);
    EXPECT_EQ(box.run("docker run --rm " + name + " cat /var/data/seed"), "from the image");
    box.run("docker rmi --force " + name);
    const auto events = box.run("docker events --since 1h --until 0s -f type=image --format '{{.Action}} {{.ID}}'");
    EXPECT_THAT(events, HasSubstr("push " + name));
    EXPECT_THAT(events, HasSubstr("pull " + name));
    // What is missing is fetched.
    EXPECT_EQ(box.run("docker run --rm " + name + " echo fetched 2>/dev/null"), "fetched");
    EXPECT_THAT(box.run("docker image ls --format '{{.Repository}}:{{.Tag}}'"), HasSubstr(name));
    // A build can end at the registry.
    box.write("b/Dockerfile", "FROM busybox\nRUN echo built > /made\n");
    const auto built = registry.name("student/built");
    box.run("docker build -q --push -t " + built + ":1 b && docker buildx build -q -o type=registry,name=" + built +
            ":2 b");
    box.run("docker build -q -o type=image,name=" + built + ":3,push=true b");
    box.run("docker rmi -f " + built + ":1 " + built + ":2 " + built + ":3");
    for (const char* tag : {":1", ":2", ":3"})
        EXPECT_EQ(box.run("docker run --rm " + built + tag + " cat /made 2>/dev/null"), "built");
    EXPECT_EQ(box.code("docker build -q --push b"), 1);
    EXPECT_EQ(box.code("docker build -q --provenance=true b"), 1);
    EXPECT_EQ(box.code("docker build -q --provenance=false --sbom=false --builder default b"), 0);
    EXPECT_EQ(box.code("docker push --platform linux/s390x " + built + ":1"), 1);
    box.run("docker logout " + host);
    EXPECT_EQ(box.code("docker run --rm --pull always " + name + " true"), 125);
}

TEST(Docker, AnApplicationAndItsDatabase) {
    REQUIRE_ROOT();
    Course box;
    box.run("docker network create --driver bridge shop");
    box.run("docker volume create store");
    box.run("docker run --rm -v store:/data busybox sh -c 'echo 42 rows > /data/table'");
    box.run("docker run -d --name db --network shop -v store:/data busybox httpd -f -p 5432 -h /data");
    box.run(
        "docker run -d --name app --network shop -p 8081:80 -e DB=db busybox sh -c "
        "'mkdir /www && until wget -qO /www/index.html http://$DB:5432/table; do sleep 0.1; done; "
        "exec httpd -f -p 80 -h /www'");
    EXPECT_TRUE(eventually([&] { return box.sh("busybox wget -qO- http://127.0.0.1:8081/").out == "42 rows\n"; },
                           std::chrono::seconds(20)));
    EXPECT_THAT(box.run("docker network inspect shop | jq -r '.[0].Containers[].Name' | sort | tr '\\n' ' '"),
                StartsWith("app db"));
}

TEST(Docker, TellsWhatHappens) {
    REQUIRE_ROOT();
    Course box;
    box.run("docker run --name short busybox sh -c 'exit 3' || true; docker rm short");
    const auto events = box.run(
        "docker events --since 1h --until 0s --filter container=short --format "
        "'{{.Action}} {{.Actor.Attributes.name}}'");
    EXPECT_THAT(events, HasSubstr("create short"));
    EXPECT_THAT(events, HasSubstr("start short"));
    EXPECT_THAT(events, HasSubstr("die short"));
    EXPECT_THAT(events, HasSubstr("destroy short"));
    EXPECT_THAT(
        box.run("docker events --since 1h --until 0s -f event=die --format json | jq -r .Actor.Attributes.exitCode"),
        "3");
    EXPECT_EQ(box.code("docker events --since yesterday"), 1);
    EXPECT_EQ(box.code("docker events --filter colour=red --until 0s"), 1);
}

TEST(Docker, LinksOnTheDefaultNetwork) {
    REQUIRE_ROOT();
    Course box;
    box.run("docker run -d --name old busybox sleep 1d");
    EXPECT_THAT(box.run("docker run --rm --link old:db busybox ping -c1 -W5 db"), HasSubstr("1 packets received"));
    EXPECT_EQ(box.code("docker run --rm --link nobody busybox true"), 125);
}

TEST(Docker, ExitCodes) {
    REQUIRE_ROOT();
    Course box;
    EXPECT_EQ(box.code("docker run --rm busybox sh -c 'exit 3'"), 3);
    EXPECT_EQ(box.code("docker run --rm busybox nosuch"), 127);
    EXPECT_EQ(box.code("docker run --rm busybox /etc/passwd"), 126);
    EXPECT_EQ(box.code("docker run --rm nosuchimage true"), 125);
    EXPECT_EQ(box.code("docker run --no-such-flag busybox"), 125);
    EXPECT_EQ(box.code("docker run --rm --network nosuch busybox true"), 125);
    EXPECT_EQ(box.code("docker run --rm busybox sh -c 'trap \"exit 7\" TERM; kill $$; sleep 5'"), 7);
    EXPECT_EQ(box.run("docker ps -aq"), "");
    box.run("docker run -d --name up busybox sleep 1d");
    EXPECT_EQ(box.code("docker exec up sh -c 'exit 4'"), 4);
    EXPECT_EQ(box.code("docker exec up nosuch"), 127);
    EXPECT_EQ(box.code("docker exec nobody true"), 1);
    EXPECT_EQ(box.code("docker nosuchcommand"), 1);
    // Every target is tried; one failure is the command's.
    const auto both = box.sh("docker stop -t 0 nobody up nothing");
    EXPECT_EQ(both.exit_code, 1);
    EXPECT_EQ(both.out, "up\n");
    EXPECT_THAT(both.err, HasSubstr("no such container: nobody"));
    EXPECT_THAT(both.err, HasSubstr("no such container: nothing"));
    EXPECT_EQ(box.run("docker wait up"), "137");
    const auto taken = box.sh("docker run --name up busybox true");
    EXPECT_EQ(taken.exit_code, 125);
    EXPECT_THAT(taken.err, HasSubstr("already in use by container"));
}

TEST(Docker, ATerminal) {
    REQUIRE_ROOT();
    Course box;
    Terminal shell({box.docker(), "run", "-it", "--rm", "--name", "shell", "busybox", "sh"}, box.environment,
                   box.folder());
    shell.type("echo $((6*7)); tty\r");
    ASSERT_TRUE(shell.shows("42\r\n")) << shell.screen();
    EXPECT_TRUE(shell.shows("/dev/")) << shell.screen();
    shell.resize(33, 111);
    shell.type("sleep 0.2; stty size\r");
    EXPECT_TRUE(shell.shows("33 111")) << shell.screen();
    shell.type("exit 5\r");
    EXPECT_EQ(shell.wait(), 5);
    EXPECT_EQ(box.run("docker ps -aq"), "");
}

TEST(Docker, DetachAndAttach) {
    REQUIRE_ROOT();
    Course box;
    Terminal first({box.docker(), "run", "-it", "--name", "shell", "busybox", "sh"}, box.environment, box.folder());
    first.type("echo ready$((1+1))\r");
    ASSERT_TRUE(first.shows("ready2")) << first.screen();
    first.type("\x10\x11");
    EXPECT_EQ(first.wait(), 0);
    EXPECT_EQ(box.run("docker inspect -f '{{.State.Running}}' shell"), "true");
    Terminal second({box.docker(), "attach", "--detach-keys", "ctrl-x", "shell"}, box.environment, box.folder());
    second.type("echo again$((2+2))\r");
    ASSERT_TRUE(second.shows("again4")) << second.screen();
    second.type("\x18");
    EXPECT_EQ(second.wait(), 0);
    Terminal inside({box.docker(), "exec", "-it", "shell", "sh"}, box.environment, box.folder());
    inside.type("echo exec$((3+3)); exit 6\r");
    EXPECT_TRUE(inside.shows("exec6")) << inside.screen();
    EXPECT_EQ(inside.wait(), 6);
    EXPECT_THAT(box.run("docker logs shell"), HasSubstr("ready2"));
    const auto refused = box.sh("docker run -it --rm busybox sh </dev/null");
    EXPECT_EQ(refused.exit_code, 125);
    EXPECT_THAT(refused.err, HasSubstr("not a TTY"));
}

TEST(Docker, FilesGoInAndOut) {
    REQUIRE_ROOT();
    Course box;
    box.run("docker create --name cc busybox sleep 1d");
    box.write("in/a", "one\n");
    box.run("docker cp in cc:/tmp && docker cp in/a cc:/tmp/b");
    box.run("docker start cc");
    EXPECT_EQ(box.run("docker exec cc cat /tmp/in/a /tmp/b"), "one\none");
    box.run("docker cp cc:/tmp/in out");
    EXPECT_EQ(box.run("cat out/a"), "one");
    EXPECT_EQ(box.run("docker cp cc:/tmp/in/a - | tar -xO"), "one");
    EXPECT_EQ(box.run("tar -c in | docker cp - cc:/var && docker exec cc cat /var/in/a"), "one");
    EXPECT_EQ(box.code("docker cp cc:/nosuch out"), 1);
    EXPECT_EQ(box.code("docker cp in out"), 1);
    EXPECT_EQ(box.code("docker cp cc:/a cc:/b"), 1);
    box.run("docker export -o root.tar cc");
    EXPECT_THAT(box.run("tar tf root.tar"), HasSubstr("tmp/in/a"));
    EXPECT_EQ(box.run("docker export cc | tar t | grep -c seed"), "1");
}

}  // namespace
}  // namespace compose::test
