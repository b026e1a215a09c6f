// What containers find in their file systems: configs, secrets, volumes of others, parts of volumes, images.
#include <gmock/gmock.h>

#include "support/traffic.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kGrants = R"(
services:
  web:
    image: busybox
    command: sleep 1000
    read_only: true
    configs:
      - plain
      - {source: inline, target: /etc/app/inline.conf, uid: "1000", gid: "2000", mode: 0440}
    secrets:
      - token
      - {source: password, target: db, mode: 0400}
configs:
  plain: {file: ./plain.conf}
  inline: {content: "port=${PORT}\n"}
secrets:
  token: {environment: TOKEN}
  password: {file: ./password}
)";

TEST(Grants, ConfigsAndSecretsComeFromFilesVariablesAndContent) {
    REQUIRE_ROOT();
    Sandbox box;
    box.environment["PORT"] = "8123";
    box.environment["TOKEN"] = "s3cr3t-value";
    box.write("plain.conf", "plain\n");
    box.write("password", "hunter2\n");
    box.write("compose.yaml", kGrants);
    box.ok({"up", "-d"});
    EXPECT_EQ(in(box, "web", "cat /plain /etc/app/inline.conf /run/secrets/token"), "plain\nport=8123\ns3cr3t-value");
    EXPECT_EQ(in(box, "web", "cat /run/secrets/db"), "hunter2\n");
    EXPECT_EQ(in(box, "web", "stat -c '%a %u:%g' /plain /etc/app/inline.conf /run/secrets/token /run/secrets/db"),
              "444 0:0\n440 1000:2000\n444 0:0\n400 0:0\n");
    EXPECT_THAT(box.compose({"exec", "-T", "web", "sh", "-c", "echo x > /plain"}).err, HasSubstr("Read-only"));
    // The value is in no argument and in no file that outlives the machine's memory.
    EXPECT_THAT(box.host({"grep", "-r", "s3cr3t-value", box.state()}).out, Not(HasSubstr("matches")));
    EXPECT_EQ(box.host({"stat", "-c", "%a", box.run_dir() + "/secrets"}).out, "700\n");
    box.ok({"restart", "-t", "0", "web"});
    EXPECT_EQ(in(box, "web", "cat /run/secrets/token"), "s3cr3t-value");
    box.ok({"down", "-t", "0"});
    EXPECT_EQ(box.host({"sh", "-c", "ls " + box.run_dir() + "/secrets"}).out, "");
}

TEST(Grants, PlanNamesWhoseContentChanged) {
    REQUIRE_ROOT();
    Sandbox box;
    box.environment["TOKEN"] = "one";
    box.write("plain.conf", "one\n");
    box.write("folder/in/a", "one\n");
    box.write("web.env", "HOST=one\nPORT=1\n");
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    env_file: web.env
    configs: [plain, folder]
    secrets: [token]
configs:
  plain: {file: ./plain.conf}
  folder: {file: ./folder}
secrets:
  token: {environment: TOKEN}
)");
    const auto changes = [&] {
        const auto plan = box.compose({"plan"});
        EXPECT_EQ(plan.exit_code, 2);
        box.ok({"up", "-d"});
        EXPECT_EQ(box.compose({"plan"}).exit_code, 0) << "and then it is at rest";
        return plan.out;
    };
    box.ok({"up", "-d"});
    EXPECT_EQ(box.compose({"plan"}).exit_code, 0);
    box.write("web.env", "HOST=two\nPORT=1\n");
    const auto variable = changes();
    EXPECT_THAT(variable, testing::AllOf(HasSubstr("env_file web.env: HOST changed\n"), Not(HasSubstr("PORT")),
                                         Not(HasSubstr("content"))));
    EXPECT_EQ(in(box, "web", "echo $HOST"), "two\n");
    box.write("plain.conf", "two\n");
    box.environment["TOKEN"] = "two";
    EXPECT_THAT(changes(), testing::AllOf(HasSubstr("config plain: content changed\n"), Not(HasSubstr("folder")),
                                          HasSubstr("secret token: content changed\n")));
    for (const char* command : {"echo two > folder/in/a", "rm folder/in/a", "ln -s /etc folder/in/b",
                                "ln -sfn /usr folder/in/b", "chmod 700 folder/in"}) {
        ASSERT_TRUE(box.host({"sh", "-c", std::string("cd ") + box.path(".") + " && " + command}).ok());
        EXPECT_THAT(changes(), testing::AllOf(HasSubstr("config folder: content changed\n"), Not(HasSubstr("plain"))))
            << command;
    }
}

TEST(Grants, SecretsComeBackAfterAReboot) {
    REQUIRE_ROOT();
    Sandbox box;
    box.environment["PORT"] = "1";
    box.environment["TOKEN"] = "again";
    box.write("plain.conf", "one\n");
    box.write("password", "p\n");
    box.write("compose.yaml", kGrants);
    box.ok({"up", "-d"});
    box.ok({"stop", "-t", "0"});
    const auto id = box.field("demo-web-1", "ID");
    // What a reboot does to a file system in memory.
    ASSERT_TRUE(box.host({"rm", "-r", box.run_dir() + "/secrets"}).ok());
    // Without its file and the variable nobody knows what they were.
    EXPECT_THAT(box.fails({"container", "start", "demo-web-1"}),
                testing::AllOf(HasSubstr("went with the last reboot"), HasSubstr("came from the variable TOKEN")));
    box.environment.erase("TOKEN");
    EXPECT_THAT(box.fails({"start"}), HasSubstr("TOKEN"));
    box.environment["TOKEN"] = "again";
    box.ok({"start"});
    EXPECT_EQ(box.field("demo-web-1", "ID"), id);
    EXPECT_EQ(in(box, "web", "cat /run/secrets/token"), "again");
}

TEST(Grants, ChangedContentRecreatesAndUnchangedDoesNot) {
    REQUIRE_ROOT();
    Sandbox box;
    box.environment["PORT"] = "1";
    box.environment["TOKEN"] = "a";
    box.write("plain.conf", "one\n");
    box.write("password", "p\n");
    box.write("compose.yaml", kGrants);
    box.ok({"up", "-d"});
    const auto first = box.field("demo-web-1", "ID");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-web-1", "ID"), first);
    box.write("plain.conf", "two\n");
    box.ok({"up", "-d", "-t", "0"});
    const auto second = box.field("demo-web-1", "ID");
    EXPECT_NE(second, first);
    EXPECT_EQ(in(box, "web", "cat /plain"), "two\n");
    box.environment["TOKEN"] = "b";
    box.ok({"up", "-d", "-t", "0"});
    EXPECT_NE(box.field("demo-web-1", "ID"), second);
    EXPECT_EQ(in(box, "web", "cat /run/secrets/token"), "b");
}

// CVE-2025-9566: a link that an earlier run left in a volume must not lead the writer of a config out of the container.
TEST(Grants, ALinkLeftInAVolumeLeadsNowhere) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("canary", "untouched\n");
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    volumes: ["data:/data"]
    configs: [{source: c, target: /data/conf/file}]
configs: {c: {content: "granted"}}
volumes: {data: {}}
)");
    box.ok({"up", "-d"});
    box.ok({"down", "-t", "0"});
    const auto data = box.state() + "/volumes/demo_data/_data";
    ASSERT_TRUE(
        box.host({"sh", "-c", "rm -rf " + data + "/conf && ln -s " + box.folder() + " " + data + "/conf"}).ok());
    box.write("file", "mine\n");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.host({"cat", box.path("file")}).out, "mine\n");
    EXPECT_EQ(in(box, "web", "cat /data/conf/file"), "granted");
    EXPECT_THAT(box.host({"cat", "/proc/self/mountinfo"}).out, Not(HasSubstr(box.folder())));
}

TEST(Grants, WhatCannotBeGrantedIsNamedWithItsLine) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(services:
  web:
    image: busybox
    command: sleep 1
    secrets:
      - missing
      - {source: there, uid: www}
secrets:
  missing: {file: ./nosuch}
  there: {file: ./compose.yaml}
)");
    const auto error = box.fails({"up", "-d"});
    EXPECT_THAT(error, HasSubstr("compose.yaml:6:9"));
    EXPECT_THAT(error, HasSubstr("nosuch does not exist"));
    EXPECT_THAT(error, HasSubstr("uid and gid must be numbers"));
    EXPECT_EQ(box.ps().size(), 0U);
}

TEST(VolumesFrom, AreTheMountsOfTheOtherContainer) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("conf/x", "bound\n");
    box.write("compose.yaml", R"(
services:
  store: {image: busybox, command: sleep 1000, volumes: ["data:/data", "/anonymous", "./conf:/conf:ro"], configs: [c]}
  reader: {image: busybox, command: sleep 1000, volumes_from: ["store:ro"]}
  writer: {image: busybox, command: sleep 1000, volumes_from: ["store"]}
configs: {c: {content: private}}
volumes: {data: {}}
)");
    box.ok({"up", "-d"});
    (void)in(box, "store", "echo a > /data/a; echo b > /anonymous/b");
    EXPECT_EQ(in(box, "reader", "cat /data/a /anonymous/b /conf/x"), "a\nb\nbound\n");
    EXPECT_THAT(box.compose({"exec", "-T", "reader", "touch", "/data/x"}).err, HasSubstr("Read-only"));
    (void)in(box, "writer", "echo c >> /data/a");
    EXPECT_EQ(in(box, "store", "cat /data/a"), "a\nc\n");
    EXPECT_NE(box.compose({"exec", "-T", "writer", "test", "-e", "/c"}).exit_code, 0);
    box.write("other/compose.yaml",
              "services: {x: {image: busybox, command: sleep 9, volumes_from: ['container:demo-store-1']}}");
    box.ok({"-f", "other/compose.yaml", "up", "-d"});
    EXPECT_EQ(box.ok({"-f", "other/compose.yaml", "exec", "-T", "x", "cat", "/anonymous/b"}), "b\n");
    box.ok({"-f", "other/compose.yaml", "down", "-t", "0"});
}

TEST(VolumesFrom, FollowTheSourceThroughItsChanges) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto write = [&](const char* volumes) {
        box.write("compose.yaml", std::string("x-b: &b {image: busybox, command: sleep 1000, stop_grace_period: 0s}\n"
                                              "services:\n  zsource: {<<: *b, volumes: [") +
                                      volumes + "]}\n  taker: {<<: *b, volumes_from: [zsource]}\n");
    };
    int round = 0;
    const auto shared = [&](const std::string& folder) {
        const auto mark = std::to_string(++round);
        (void)in(box, "zsource", "echo " + mark + " > " + folder + "/mark");
        return in(box, "taker", "cat " + folder + "/mark") == mark + "\n";
    };
    write("/one");
    box.ok({"up", "-d"});
    EXPECT_TRUE(shared("/one"));
    box.ok({"up", "-d", "-V", "--force-recreate", "zsource"});
    box.ok({"up", "-d"});
    EXPECT_TRUE(shared("/one")) << "the old volume is nobody's any more";
    write("/one, /two");
    box.ok({"up", "-d"});
    EXPECT_TRUE(shared("/one") && shared("/two"));
    for (int i = 0; i < 3; ++i) {
        box.ok({"up", "-d", "-V", "--force-recreate"});
        EXPECT_TRUE(shared("/one") && shared("/two"));
    }
    EXPECT_EQ(box.compose({"plan"}).exit_code, 0) << "and then it is at rest";
}

TEST(VolumeMounts, ASubpathIsAllThatIsSeen) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  whole: {image: busybox, command: sleep 1000, volumes: ["data:/data"]}
  part:
    image: busybox
    command: sleep 1000
    profiles: [later]
    volumes: [{type: volume, source: data, target: /part, volume: {subpath: a/b}}]
  outside:
    image: busybox
    command: sleep 1000
    profiles: [later]
    volumes: [{type: volume, source: data, target: /part, volume: {subpath: link}}]
volumes: {data: {}}
)");
    box.ok({"up", "-d"});
    (void)in(box, "whole", "mkdir -p /data/a/b; echo deep > /data/a/b/file; ln -s /etc /data/link");
    box.ok({"up", "-d", "part"});
    EXPECT_EQ(in(box, "part", "cat /part/file; ls /part"), "deep\nfile\n");
    // The link's /etc is looked for in the volume, where there is none.
    EXPECT_THAT(box.fails({"up", "-d", "outside"}), HasSubstr("link"));
}

TEST(VolumeMounts, AnImageIsMountedReadOnly) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("extra/opt/tool", "from another image\n");
    ASSERT_TRUE(box.host({"tar", "-C", box.path("extra"), "-cf", box.path("extra.tar"), "."}).ok());
    box.ok({"image", "import", box.path("extra.tar"), "extra"});
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    volumes:
      - {type: image, source: extra, target: /all}
      - {type: image, source: extra, target: /opt, image: {subpath: opt}}
)");
    box.ok({"up", "-d"});
    EXPECT_EQ(in(box, "web", "cat /all/opt/tool /opt/tool"), "from another image\nfrom another image\n");
    EXPECT_THAT(box.compose({"exec", "-T", "web", "touch", "/all/x"}).err, HasSubstr("Read-only"));
    EXPECT_EQ(box.compose({"plan"}).exit_code, 0);
    box.write("extra/opt/tool", "a newer one\n");
    ASSERT_TRUE(box.host({"tar", "-C", box.path("extra"), "-cf", box.path("extra.tar"), "."}).ok());
    box.ok({"image", "import", box.path("extra.tar"), "extra"});
    const auto plan = box.compose({"plan"});
    EXPECT_EQ(plan.exit_code, 2);
    EXPECT_THAT(plan.out, HasSubstr("image of a mount changed"));
    box.ok({"up", "-d", "-t", "0"});
    EXPECT_EQ(in(box, "web", "cat /all/opt/tool /opt/tool"), "a newer one\na newer one\n");
    EXPECT_EQ(box.compose({"plan"}).exit_code, 0);
    box.write("absent.yaml",
              "services:\n  web:\n    image: busybox\n    volumes:\n      - {type: image, source: 127.0.0.1:9/absent, "
              "target: /i}\n");
    EXPECT_THAT(box.fails({"-f", "absent.yaml", "-p", "absent", "create"}),
                testing::AllOf(HasSubstr("absent.yaml:"), HasSubstr("127.0.0.1:9/absent")));
}

TEST(VolumeMounts, ARecursiveReadOnlyBindAndPropagation) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("tree/sub/keep", "");
    ASSERT_TRUE(box.host({"mount", "-t", "tmpfs", "inner", box.path("tree/sub")}).ok());
    ASSERT_TRUE(box.host({"mount", "--rbind", box.path("tree"), box.path("tree")}).ok());
    ASSERT_TRUE(box.host({"mount", "--make-shared", box.path("tree")}).ok());
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    volumes:
      - {type: bind, source: ./tree, target: /plain, read_only: true, bind: {recursive: writable}}
      - {type: bind, source: ./tree, target: /strict, read_only: true}
      - {type: bind, source: ./tree, target: /flat, bind: {recursive: disabled}}
      - {type: bind, source: ./tree, target: /slave, bind: {propagation: rslave}}
)");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.compose({"exec", "-T", "web", "touch", "/plain/sub/x"}).exit_code, 0);
    EXPECT_THAT(box.compose({"exec", "-T", "web", "touch", "/strict/sub/y"}).err, HasSubstr("Read-only"));
    EXPECT_EQ(box.compose({"exec", "-T", "web", "test", "-e", "/flat/sub/x"}).exit_code, 1);
    box.write("tree/late/under", "");
    ASSERT_TRUE(box.host({"mount", "-t", "tmpfs", "late", box.path("tree/late")}).ok());
    EXPECT_THAT(in(box, "web", "mount"), HasSubstr("late on /slave/late"));
    EXPECT_THAT(in(box, "web", "mount"), Not(HasSubstr("late on /strict/late")));
    box.ok({"down", "-t", "0"});
    for (int i = 0; i < 3; ++i) (void)box.host({"umount", "-R", box.path("tree")});
    (void)box.host({"umount", box.path("tree/sub")});
}

}  // namespace
}  // namespace compose::test
