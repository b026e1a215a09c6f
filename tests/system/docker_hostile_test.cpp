// Bad input under the name `docker`: names, ids, paths, templates and filters, and containers that attack cp and exec.
#include <array>

#include <gmock/gmock.h>

#include "support/course.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// As they stand in a shell line.
constexpr std::array kBadNames{
    "''",           ".",      "..",    "../x", "a/b", "'a b'", "$'a\\n'", "\"$(printf '%0256d' 0)\"", "Ünï",
    "'con.veth%d'", "'$(x)'", "'`x`'", "';x'", "'a{'"};

TEST(DockerHostile, NamesAreRefusedBeforeAnythingIsMade) {
    REQUIRE_ROOT();
    Course box;
    for (const std::string name : kBadNames) {
        box.write("line.sh", "docker create --name=" + name + " busybox true\n");
        const auto made = box.sh("bash line.sh");
        EXPECT_TRUE(name == "''" ? made.exit_code == 0 || made.exit_code >= 125 : made.exit_code == 125)
            << name << " " << made.exit_code << made.err;
        if (made.exit_code == 0) box.run("docker rm " + made.out);
        for (const char* kind : {"volume", "network"}) {
            if (name == "''" && kind == std::string("volume")) continue;  // as with Docker, an anonymous one
            box.write("line.sh", std::string("docker ") + kind + " create " + name + "\n");
            const auto result = box.sh("bash line.sh");
            EXPECT_EQ(result.exit_code, 1) << kind << name << result.out << result.err;
            EXPECT_THAT(result.err, HasSubstr("error: ")) << kind << name;
        }
        if (name == "a/b") continue;  // an image may be called that
        box.write("line.sh", "docker tag busybox " + name + "\n");
        EXPECT_NE(box.sh("bash line.sh").exit_code, 0) << name;
    }
    EXPECT_EQ(box.run("docker ps -aq; docker volume ls -q"), "");
    EXPECT_EQ(box.run("docker network ls --format '{{.Name}}' | sort | tr '\\n' ' '"), "bridge host none");
}

TEST(DockerHostile, ABadTargetDoesNotStopTheOthers) {
    REQUIRE_ROOT();
    Course box;
    box.run("docker create --name aa busybox true; docker create --name bb busybox true");
    box.run("docker volume create v; docker network create n");
    for (const char* line : {"docker start aa '../x' bb", "docker rm aa '' bb", "docker volume rm '..' v",
                             "docker network rm 'a/b' n", "docker rmi nosuch:1 busybox"}) {
        const auto result = box.sh(line);
        EXPECT_EQ(result.exit_code, 1) << line << result.out;
        EXPECT_THAT(result.err, HasSubstr("error: ")) << line;
    }
    EXPECT_EQ(box.run("docker ps -aq; docker volume ls -q; docker network ls -q -f name=^n$; docker images -q"), "");
    EXPECT_NE(box.code("docker rm -- -rf"), 0);
}

TEST(DockerHostile, TemplatesFiltersAndFlags) {
    REQUIRE_ROOT();
    Course box;
    box.run("docker create --name aa busybox true");
    for (const char* line :
         {"docker ps --format '{{'", "docker ps -a --format '{{.ID'", "docker ps -a --format '{{template \"x\"}}'",
          "docker ps -a --format '{{index .Names 5}}'", "docker ps -a --format '{{call .ID}}'",
          "docker inspect -f '{{.State.Nosuch}}' aa", "docker inspect -f '{{range .}}' aa", "docker ps -f nosuch=1",
          "docker ps -f status=nosuch",

          "docker volume ls -f x", "docker images -f dangling=2", "docker update -m -5 aa",
          "docker update --cpus nan aa", "docker stop -t x aa", "docker kill -s NOSUCH aa", "docker rename aa ../b",
          "docker rename aa ''", "docker wait ..", "docker port aa 80/nosuch"}) {
        const auto result = box.sh(line);
        EXPECT_TRUE(result.exit_code == 1 || result.exit_code == 125) << line << " " << result.exit_code << result.out;
        EXPECT_THAT(result.err, HasSubstr("error: ")) << line;
        EXPECT_EQ(result.out, "") << line;
    }
    for (const char* line : {"docker run -m 1x busybox true", "docker run -p 99999:1 busybox true",
                             "docker run -v relative/../..:/x busybox true", "docker run -v /a:b busybox true",
                             "docker run --cpus -1 busybox true", "docker run -e =x busybox true",
                             "docker run -w /proc/self/fd/9 busybox true", "docker run -u '1:x:y' busybox true",
                             "docker run --mount type=bind,source=/,target=/ busybox true"})
        EXPECT_GE(box.code(line), 125) << line;
    EXPECT_EQ(box.run("docker ps -a --format '{{.Names}}' -f status=running"), "");
}

TEST(DockerHostile, ExecTakesIdsAtTheirWord) {  // K06
    REQUIRE_ROOT();
    Course box;
    box.run("docker run -d --name box busybox sleep 1d");
    const auto ids = [&](const std::string& user) {
        return box.sh("docker exec -u " + user + " box sh -c 'id -u; id -g'");
    };
    EXPECT_EQ(ids("1:2").out, "1\n2\n");
    EXPECT_THAT(ids("1").out, testing::StartsWith("1\n"));
    for (const char* odd :
         {"01", "+1", "-1", "1x", "' 1'", "4294967296", "4294967295", "0x1", "1:+2", "1:", ":1", "1:2:3"}) {
        const auto result = ids(odd);
        // Its exact ids or an error; never those of somebody else.
        if (result.exit_code == 0)
            EXPECT_THAT(result.out, testing::StartsWith(std::string(odd) == ":1" ? "0\n1\n" : "1\n")) << odd;
        else
            EXPECT_NE(result.err, "") << odd;
    }
}

TEST(DockerHostile, NoDescriptorOfTheHostIsAWorkingFolder) {  // K14
    REQUIRE_ROOT();
    Course box;
    box.run("docker run -d --name box busybox sleep 1d");
    box.run(
        "for i in 0 3 4 5 6 7 8 9 10 11 12 13 14 15 16 20 40; do "
        "docker exec -w /proc/self/fd/$i box true 2>/dev/null && exit 1; "
        "docker run --rm -w /proc/self/fd/$i busybox true 2>/dev/null && exit 1; done; exit 0");
    EXPECT_EQ(box.run("docker exec box sh -c 'for f in /proc/self/fd/*; do readlink $f; done' | grep -v ^/proc | "
                      "grep -c '^/' || true"),
              box.run("docker exec box sh -c 'readlink /proc/self/fd/0' | grep -c ^/ || true"));
}

TEST(DockerHostile, CpStaysInTheContainer) {  // K24, K25, K28, K29
    REQUIRE_ROOT();
    Course box;
    box.write("secret", "of the host\n", 0600);
    box.write("canary/f", "same\n", 0640);
    const auto root = box.folder();
    box.run("docker run -d --name box busybox sh -c 'mkdir -p /w; ln -s " + root + "/secret /w/link; ln -s " + root +
            "/canary /w/dir; ln -s ../../../../../../../.." + root + "/secret /w/up; sleep 1d'");
    EXPECT_TRUE(eventually([&] { return box.code("docker exec box readlink /w/up") == 0; }));
    // Links that lead to the host are taken in the container, where nothing is there; the link itself is copied as one.
    for (const char* name : {"link", "up"}) {
        EXPECT_NE(box.code(std::string("docker cp -L box:/w/") + name + " out-" + name), 0);
        (void)box.sh(std::string("docker cp box:/w/") + name + " out-" + name);
        EXPECT_EQ(
            box.run(std::string("test -f out-") + name + " -a ! -L out-" + name + " && cat out-" + name + " || true"),
            "");
    }
    EXPECT_NE(box.code("docker cp box:/w/dir/f got"), 0);
    EXPECT_NE(box.code("docker cp box:../../../../.." + root + "/secret got"), 0);
    box.write("evil", "overwritten\n");
    (void)box.sh(
        "docker cp evil box:/w/link; docker cp evil box:/w/dir/f; docker cp evil box:/w/dir; tar c evil | docker cp - "
        "box:/w/dir");
    EXPECT_EQ(box.run("cat secret canary/f; stat -c %a secret canary/f; ls canary"), "of the host\nsame\n600\n640\nf");
    // A tar stream that names what is above.
    box.run("tar -cPf up.tar --transform 's,^evil,../../../../../../.." + root + "/canary/g,' evil");
    (void)box.sh("docker cp - box:/w < up.tar");
    EXPECT_EQ(box.run("ls canary"), "f");
}

TEST(DockerHostile, NothingOfTheImageRunsForCp) {  // K25, K26
    REQUIRE_ROOT();
    Course box;
    const auto marker = box.path("marker");
    box.run(
        "docker run -d --name box busybox sh -c 'for p in gzip gunzip unpigz xz zstd tar; do printf \"#!/bin/sh\\necho "
        "ran > " +
        marker +
        "; echo ran > /marker\\n\" > /bin/evil-$p; chmod 755 /bin/evil-$p; rm -f /bin/$p; cp /bin/evil-$p /bin/$p; "
        "done; "
        "mkdir -p /lib /etc; echo x > /lib/libnss_files.so.2; echo /lib/libnss_files.so.2 > /etc/ld.so.preload; touch "
        "/ready; sleep 1d'");
    EXPECT_TRUE(eventually([&] { return box.code("docker exec box test -e /ready") == 0; }));
    box.write("in/a", "one\n");
    box.run("tar -czf in.tgz in");
    box.run("docker cp in box:/tmp; docker cp box:/tmp/in out");
    (void)box.sh("docker cp - box:/tmp < in.tgz");
    box.run("docker export box > /dev/null");
    EXPECT_EQ(box.run("cat out/a"), "one");
    EXPECT_NE(box.code("test -e marker"), 0);
    EXPECT_NE(box.code("docker exec box test -e /marker"), 0);
}

TEST(DockerHostile, CpWhileTheContainerSwapsFolders) {  // K27
    REQUIRE_ROOT();
    Course box;
    box.write("canary/f", "same\n", 0640);
    box.write("in", "overwritten\n");
    box.run("docker run -d --name box busybox sh -c 'mkdir -p /w/real; ln -s " + box.path("canary") +
            " /w/link; touch /ready; while :; do mv /w/real /w/d; mv /w/d /w/real; mv /w/link /w/d; mv /w/d /w/link; "
            "done'");
    EXPECT_TRUE(eventually([&] { return box.code("docker exec box test -e /ready") == 0; }));
    for (int i = 0; i < 60; ++i)
        (void)box.sh("docker cp in box:/w/d/f; docker cp in box:/w/d; docker cp box:/w/d/f out");
    EXPECT_EQ(box.run("cat canary/f; stat -c %a canary/f; ls canary"), "same\n640\nf");
    EXPECT_EQ(box.run("grep -c same out 2>/dev/null || true"), "0");
    box.run("docker kill box");
}

}  // namespace
}  // namespace compose::test
