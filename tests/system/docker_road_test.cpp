// The road of a Docker course under the name `docker`, line by line and in its order.
#include <gmock/gmock.h>

#include "support/background.hpp"
#include "support/course.hpp"
#include "support/terminal.hpp"

namespace compose::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

constexpr const char* kId = "[0-9a-f]{64}";

/// A course's image: with a bash, a port and files.
void build_image(const Course& box) {
    box.write("image/bash", "#!/bin/sh\nexec sh \"$@\"\n", 0755);
    box.write("image/index.html", "hello\n");
    box.write(
        "image/Dockerfile",
        "FROM busybox\nCOPY bash /bin/\nCOPY index.html /www/\nEXPOSE 80\nCMD [\"httpd\", \"-f\", \"-p\", \"80\", "
        "\"-h\", \"/www\"]\n");
    box.run("docker build -q -t web image");
}

bool serves(const Course& box, const std::string& port, const std::string& text) {
    return eventually([&] { return box.sh("busybox wget -qO- http://127.0.0.1:" + port + "/").out == text; });
}

TEST(DockerRoad, RunsContainers) {
    REQUIRE_ROOT();
    Course box;
    build_image(box);
    // docker run IMAGE; docker run IMAGE sleep 1d: in the foreground, until somebody stops them.
    box.run("docker run web > first.log 2>&1 & docker run web sleep 1d > second.log 2>&1 &");
    EXPECT_TRUE(eventually([&] { return box.run("docker ps -q | wc -l") == "2"; }));
    EXPECT_THAT(box.run("docker ps --format '{{.Command}}'"), AllOf(HasSubstr("httpd -f"), HasSubstr("sleep 1d")));
    // docker run -it IMAGE bash
    Terminal shell({box.docker(), "run", "-it", "web", "bash"}, box.environment, box.folder());
    shell.type("echo in $((40+2)); exit\r");
    EXPECT_TRUE(shell.shows("in 42")) << shell.screen();
    EXPECT_EQ(shell.wait(), 0);
    // docker run -d, -d -P, -d -p 8080:80, --rm, --name
    EXPECT_THAT(box.run("docker run -d web"), MatchesRegex(kId));
    const auto any_port = box.run("docker run -d -P web");
    EXPECT_TRUE(serves(box, box.run("docker port " + any_port + " 80 | cut -d: -f2"), "hello\n"));
    EXPECT_THAT(box.run("docker run -d -p 8080:80 web"), MatchesRegex(kId));
    EXPECT_TRUE(serves(box, "8080", "hello\n"));
    EXPECT_EQ(box.run("docker run --rm web echo once"), "once");
    EXPECT_THAT(box.run("docker run -d --name server web"), MatchesRegex(kId));
    EXPECT_EQ(box.run("docker inspect -f '{{.Name}}' server"), "/server");
    box.run("docker stop -t 0 $(docker container ls -q)");
    box.run("docker rm $(docker container ls -aq)");
    EXPECT_EQ(box.run("docker ps -aq"), "");
}

TEST(DockerRoad, MountsFiles) {
    REQUIRE_ROOT();
    Course box;
    box.write("host/f", "of the host\n");
    box.run("docker volume create volume");
    EXPECT_EQ(box.run("docker run --rm -v \"$PWD/host\":/app busybox cat /app/f"), "of the host");
    box.run("docker run --rm -v volume:/app busybox sh -c 'echo kept > /app/f'");
    EXPECT_EQ(box.run("docker run --rm --mount type=bind,source=\"$PWD/host\",target=/app busybox cat /app/f"),
              "of the host");
    EXPECT_EQ(box.run("docker run --rm --mount source=volume,target=/app busybox cat /app/f"), "kept");
    for (const char* memory : {"--mount type=tmpfs,destination=/app", "--tmpfs /app"})
        EXPECT_THAT(box.run(std::string("docker run --rm ") + memory + " busybox mount | grep ' /app '"),
                    HasSubstr("type tmpfs"));
    // docker volume ls, volume create, inspect of a volume
    EXPECT_THAT(box.run("docker volume ls"), MatchesRegex("DRIVER +VOLUME NAME\nlocal +volume"));
    EXPECT_EQ(box.run("docker inspect -f '{{.Driver}} {{.Name}}' volume"), "local volume");
    EXPECT_EQ(box.run("docker volume inspect volume | jq -r '.[0].Mountpoint' | xargs ls"), "f");
    EXPECT_EQ(box.run("docker volume rm volume"), "volume");
}

TEST(DockerRoad, LooksAfterContainers) {
    REQUIRE_ROOT();
    Course box;
    build_image(box);
    box.run(
        "docker run -d --stop-timeout 1 --name one web; docker create --name two web; docker exec one dd if=/dev/zero "
        "of=/big bs=1024 "
        "count=2000 2>/dev/null");
    EXPECT_THAT(box.run("docker ps"), AllOf(HasSubstr("one"), Not(HasSubstr("two"))));
    EXPECT_THAT(box.run("docker ps -a"), AllOf(HasSubstr("one"), HasSubstr("two"), HasSubstr("Created")));
    EXPECT_THAT(box.run("docker ps -s"), MatchesRegex("(.|\n)*2\\.0[0-9]*MB \\(virtual [0-9.]+MB\\)(.|\n)*"));
    EXPECT_EQ(box.run("docker container ls | wc -l"), "2");
    EXPECT_EQ(box.run("docker container ls -a | wc -l"), "3");
    EXPECT_EQ(box.run("docker container ls -q"), box.run("docker ps -q"));
    EXPECT_THAT(box.run("docker container ls -s"), HasSubstr("SIZE"));
    EXPECT_EQ(box.run("docker stop one"), "one");
    EXPECT_EQ(box.run("docker inspect -f '{{.State.Status}}' one"), "exited");
    EXPECT_EQ(box.run("docker start one"), "one");
    EXPECT_EQ(box.run("docker stop -t 0 one && docker start one"), "one\none");
    Terminal inside({box.docker(), "exec", "-it", "one", "bash"}, box.environment, box.folder());
    inside.type("ls /big; exit 3\r");
    EXPECT_TRUE(inside.shows("/big\r\n")) << inside.screen();
    EXPECT_EQ(inside.wait(), 3);
    EXPECT_EQ(box.run("docker pause one"), "one");
    EXPECT_EQ(box.run("docker inspect -f '{{.State.Status}}' one"), "paused");
    EXPECT_EQ(box.run("docker unpause one"), "one");
    EXPECT_EQ(box.run("docker rm two"), "two");
    EXPECT_EQ(box.code("docker rm one"), 1);
    // What a container has written goes with it; images stay as they are.
    EXPECT_EQ(box.run("docker rm --force one"), "one");
    EXPECT_NE(box.code("docker run --rm web test -e /big"), 0);
    EXPECT_THAT(box.run("docker images"), AllOf(HasSubstr("web"), HasSubstr("busybox")));
    EXPECT_EQ(box.run("docker image ls -q | sort -u | wc -l"), "2");
}

TEST(DockerRoad, PublishesImages) {
    REQUIRE_ROOT();
    Course box;
    box.environment["DOCKER_CONFIG"] = box.path("config");
    const TestRegistry registry(box, {.user = "student", .password = "secret"});
    build_image(box);
    const auto name = registry.name("student/web:1.0");
    EXPECT_EQ(box.code("cd image && docker build -q -t student/web:1.0 ."), 0);
    EXPECT_THAT(box.run("docker history student/web:1.0"), AllOf(HasSubstr("CMD"), HasSubstr("COPY")));
    EXPECT_EQ(box.run("docker inspect -f '{{.Config.Cmd}}' student/web:1.0"), "[httpd -f -p 80 -h /www]");
    // docker login -u USER asks for the password, and doesn't show it.
    Terminal login({box.docker(), "login", "-u", "student", registry.host()}, box.environment, box.folder());
    ASSERT_TRUE(login.shows("Password: ")) << login.screen();
    login.type("secret\r");
    EXPECT_TRUE(login.shows("Login Succeeded")) << login.screen();
    EXPECT_EQ(login.wait(), 0);
    EXPECT_THAT(login.screen(), Not(HasSubstr("secret")));
    box.run("docker tag student/web:1.0 " + name);
    box.run("docker push " + name);
    EXPECT_EQ(box.run("docker rmi " + name + " | head -1"), "Untagged: " + name);
    box.run("docker pull " + name);
    EXPECT_EQ(box.run("docker run --rm " + name + " cat /www/index.html"), "hello");
    box.run("docker create --name user " + name);
    EXPECT_EQ(box.run("docker rmi --force " + name + " | head -1"), "Untagged: " + name);
    EXPECT_EQ(box.run("docker start user && docker rm -f user"), "user\nuser");
}

TEST(DockerRoad, JoinsContainersByNetworks) {
    REQUIRE_ROOT();
    Course box;
    build_image(box);
    EXPECT_EQ(box.run("docker network ls --format '{{.Name}}' | sort | tr '\\n' ' '"), "bridge host none");
    EXPECT_THAT(box.run("docker network create --driver bridge net"), MatchesRegex(kId));
    EXPECT_EQ(box.run("docker inspect -f '{{.Driver}}' net"), "bridge");
    EXPECT_EQ(box.run("docker run --rm --network host busybox hostname"), box.run("hostname"));
    EXPECT_EQ(box.run("docker run --rm --network none busybox ip -o link | wc -l"), "1");
    // An application and its database, by hand.
    box.run("docker run -d --name db --network net web");
    box.run("docker run -d --name app --network net -p 8081:80 web");
    EXPECT_THAT(box.run("docker exec app ping -c 1 db"), HasSubstr("1 packets received"));
    EXPECT_TRUE(eventually([&] { return box.sh("docker exec app wget -qO- http://db/").out == "hello\n"; }));
    EXPECT_TRUE(serves(box, "8081", "hello\n"));
    // On the default bridge there are addresses and no names.
    box.run("docker run -d --name loner web");
    const auto address = box.run("docker inspect -f '{{.NetworkSettings.IPAddress}}' loner");
    EXPECT_THAT(box.run("docker run --rm busybox ping -c 1 " + address), HasSubstr("1 packets received"));
    EXPECT_NE(box.code("docker run --rm busybox ping -c 1 -W 1 loner"), 0);
    // docker compose up -d, ps, down
    box.write("compose.yaml", "services: {web: {image: web, ports: ['8082:80'], stop_grace_period: 0s}}\n");
    box.run("docker compose up -d");
    EXPECT_THAT(box.run("docker compose ps"), HasSubstr("demo-web-1"));
    EXPECT_TRUE(serves(box, "8082", "hello\n"));
    box.run("docker compose down");
    EXPECT_EQ(box.run("docker compose ps -q"), "");
    box.run("docker rm -f db app loner && docker network rm net");
}

}  // namespace
}  // namespace compose::test
