// Bad input under the name `docker`: names, ids, paths, templates and filters, and containers that attack cp and exec.
#include <gmock/gmock.h>

#include "support/course.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::Not;

struct BadName {
    const char* row;
    const char* text;  // as it stands in a line of bash
};
// N08, a null byte, can't stand in an argument.
constexpr BadName kBadNames[] = {{"N01", "''"},
                                 {"N02", "."},
                                 {"N02", ".."},
                                 {"N03", "../x"},
                                 {"N04", "a/b"},
                                 {"N05", "-rf"},
                                 {"N06", "'a b'"},
                                 {"N07", "$'a\\n'"},
                                 {"N09", "\"$(printf '%0256d' 0)\""},
                                 {"N10", "Ünï"},
                                 {"N10", "$'U\\u0308ni'"},
                                 {"N11", "'con.veth%d'"},
                                 {"N12", "'$(x)'"},
                                 {"N12", "'`x`'"},
                                 {"N12", "';x'"},
                                 {"N13", "'nft table name {'"}};

TEST(DockerHostile, NamesAreRefusedBeforeAnythingIsMade) {  // N01 to N13
    REQUIRE_ROOT();
    Course box;
    for (const auto& [row, text] : kBadNames) {
        const std::string name = text;
        box.write("line.sh", "docker create --name=" + name + " busybox true\n");
        const auto made = box.sh("bash line.sh");
        EXPECT_TRUE(name == "''" ? made.exit_code == 0 || made.exit_code >= 125 : made.exit_code == 125)
            << row << name << " " << made.exit_code << made.err;
        if (made.exit_code == 0) box.run("docker rm " + made.out);
        for (const char* kind : {"volume", "network"}) {
            if (name == "''" && kind == std::string("volume")) continue;  // as with Docker, an anonymous one
            box.write("line.sh", std::string("docker ") + kind + " create " + name + "\n");
            const auto result = box.sh("bash line.sh");
            EXPECT_EQ(result.exit_code, 1) << row << kind << name << result.out << result.err;
            EXPECT_THAT(result.err, HasSubstr("error: ")) << row << kind << name;
        }
        if (name == "a/b") continue;  // an image may be called that
        box.write("line.sh", "docker tag busybox " + name + "\n");
        EXPECT_NE(box.sh("bash line.sh").exit_code, 0) << row << name;
    }
    EXPECT_EQ(box.run("docker ps -aq; docker volume ls -q"), "");
    EXPECT_EQ(box.run("docker network ls --format '{{.Name}}' | sort | tr '\\n' ' '"), "bridge host none");
}

TEST(DockerHostile, NamesThatDifferInLittleAreDifferent) {  // N14, N15
    REQUIRE_ROOT();
    Course box;
    box.run("docker create --name Web busybox true; docker create --name web busybox true");
    EXPECT_EQ(box.run("docker inspect -f '{{.Name}}' Web web"), "/Web\n/web");
    box.run("docker volume create Data; docker volume create data");
    box.run("docker run --rm -v Data:/d busybox touch /d/big; docker run --rm -v data:/d busybox touch /d/small");
    EXPECT_EQ(box.run("docker run --rm -v Data:/a -v data:/b busybox ls /a /b"), "/a:\nbig\n\n/b:\nsmall");
    // Interfaces of the host have 15 letters.
    const std::string same(15, 'n');
    box.run("docker network create " + same + "a; docker network create " + same + "b");
    EXPECT_EQ(box.run("docker network inspect -f '{{index .Options \"com.docker.network.bridge.name\"}}' " + same +
                      "a " + same + "b | sort -u | wc -l"),
              "2");
    box.run("docker run -d --name one --network " + same + "a busybox sleep 1d");
    EXPECT_NE(box.code("docker run --rm --network " + same + "b busybox ping -c1 -W1 one"), 0);
    box.run("docker rm -f one Web web; docker network rm " + same + "a " + same + "b; docker volume rm Data data");
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
    // All that a supervisor of some containers holds, and samples up to the limit of descriptors.
    const auto refused = [&](const std::string& numbers, const std::string& line) {
        return box.run("(" + numbers + ") | xargs -P 3 -I N sh -c '" + line + " 2>/dev/null && echo N || true'");
    };
    EXPECT_EQ(refused("seq 0 99; seq 100 11 1023; echo 1023", "docker exec -w /proc/self/fd/N box true"), "");
    EXPECT_EQ(refused("seq 0 31; seq 40 82 1023; echo 1023", "docker run --rm -w /proc/self/fd/N busybox true"), "");
    EXPECT_EQ(refused("seq 0 20", "docker exec -w /proc/1/fd/N box true"), "");
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
    (void)box.sh(
        "seq 170 | xargs -P 3 -I N sh -c 'docker cp in box:/w/d/f; docker cp in box:/w/d; docker cp box:/w/d/f outN; "
        "grep -ls same outN >> leaked; rm -rf outN' >/dev/null 2>&1");
    EXPECT_EQ(box.run("cat canary/f; stat -c %a canary/f; ls canary"), "same\n640\nf");
    EXPECT_EQ(box.run("cat leaked"), "");
    box.run("docker kill box");
}

TEST(DockerHostile, ExportWhileTheContainerSwapsFolders) {  // K25, K29
    REQUIRE_ROOT();
    Course box;
    box.write("canary/secret-of-the-host", "same\n", 0640);
    box.run("docker run -d --name box -v data:/v busybox sh -c 'mkdir -p /w/real /v/real; for d in /w /v; do ln -s " +
            box.path("canary") +
            " $d/link; done; touch /ready; while :; do for d in /w /v; do mv $d/real $d/d; mv $d/d $d/real; mv $d/link "
            "$d/d; mv $d/d $d/link; done; done'");
    EXPECT_TRUE(eventually([&] { return box.code("docker exec box test -e /ready") == 0; }));
    (void)box.sh(
        "for i in $(seq 25); do docker export box; docker cp box:/w -; docker cp box:/v -; docker cp -L box:/v/d -; "
        "done > stream 2>/dev/null");
    EXPECT_EQ(box.run("grep -c secret-of-the-host stream || true"), "0");
    EXPECT_EQ(box.run("cat canary/*; stat -c %a canary canary/*"), "same\n755\n640");
    box.run("docker rm -fv box; docker volume rm data");
}

TEST(DockerHostile, CpIntoWhatCannotTakeIt) {
    REQUIRE_ROOT();
    Course box;
    box.write("f", "one\n");
    box.run("docker create --name one --read-only --tmpfs /tmp -v data:/v -v data:/ro:ro busybox sleep 1d");
    const auto said = [&](const std::string& line) {
        const auto result = box.sh(line);
        EXPECT_EQ(result.exit_code, 1) << line;
        return result.err;
    };
    for (const char* target : {"/x", "/ro/x", "/ro"})
        EXPECT_THAT(said(std::string("docker cp f one:") + target), HasSubstr("it is read-only in the container"));
    // What is written under a tmpfs would never be seen.
    for (const char* target : {"/tmp/x", "/tmp", "tmp/../tmp/"})
        EXPECT_THAT(said(std::string("docker cp f one:") + target), HasSubstr("only while the container runs"));
    EXPECT_THAT(said("tar -c f | docker cp - one:/tmp"), HasSubstr("only while the container runs"));
    box.run("docker cp f one:/v/x && docker start one && docker cp f one:/tmp/x");
    EXPECT_EQ(box.run("docker exec one cat /ro/x /tmp/x"), "one\none");
    EXPECT_THAT(said("docker cp f one:/x"), HasSubstr("it is read-only in the container"));
    box.run("docker rm -f one; docker volume rm data");
}

TEST(DockerHostile, WhatIsInUseIsKeptAndSaysByWhom) {
    REQUIRE_ROOT();
    Course box;
    box.run("docker network create net; docker volume create data");
    box.run("docker run -d --name holder --network net -v data:/d busybox sleep 1d");
    for (const char* line :
         {"docker network rm net", "docker volume rm data", "docker volume rm -f data", "docker rmi busybox"}) {
        const auto result = box.sh(line);
        EXPECT_EQ(result.exit_code, 1) << line;
        EXPECT_THAT(result.err, HasSubstr("holder")) << line;
    }
    EXPECT_THAT(box.sh("docker rm holder").err, HasSubstr("it is running"));
    // The others go all the same.
    box.run("docker volume create spare; docker network create spare");
    EXPECT_EQ(box.sh("docker volume rm data spare").out + box.sh("docker network rm net spare").out, "spare\nspare\n");
    box.run("docker rm -f holder; docker network rm net; docker volume rm data");
}

}  // namespace
}  // namespace compose::test
