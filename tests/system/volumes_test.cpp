// Named volumes, binds and tmpfs.
#include <gmock/gmock.h>

#include "support/sandbox.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;

TEST(Volumes, NamedVolumeOutlivesDownAndGoesWithDashV) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  db: {image: busybox, command: sleep 1000, volumes: ["data:/data"]}
volumes: {data: {}}
)");
    box.ok({"up", "-d"});
    box.ok({"exec", "-T", "db", "sh", "-c", "echo kept > /data/row"});
    box.ok({"down", "-t", "0"});
    box.ok({"up", "-d"});
    EXPECT_EQ(box.ok({"exec", "-T", "db", "cat", "/data/row"}), "kept\n");
    box.ok({"down", "-v", "-t", "0"});
    box.ok({"up", "-d"});
    EXPECT_NE(box.compose({"exec", "-T", "db", "cat", "/data/row"}).exit_code, 0);
}

TEST(Volumes, AnEmptyVolumeTakesTheImagesContent) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  db: {image: busybox, command: sleep 1000, volumes: ["data:/var/data", "bare:/elsewhere"]}
volumes: {data: {}, bare: {}}
)");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.ok({"exec", "-T", "db", "cat", "/var/data/seed"}), "from the image\n");
    EXPECT_EQ(box.ok({"exec", "-T", "db", "stat", "-c", "%u:%g", "/var/data"}), "1000:1000\n");
    EXPECT_EQ(box.ok({"exec", "-T", "db", "stat", "-c", "%u:%g", "/var/data/seed"}), "1000:1000\n");
    box.ok({"exec", "-T", "db", "sh", "-c", "echo changed > /var/data/seed"});
    box.ok({"up", "-d", "--force-recreate", "-t", "0"});
    EXPECT_EQ(box.ok({"exec", "-T", "db", "cat", "/var/data/seed"}), "changed\n");
}

TEST(Volumes, WhoeverFindsOneEmptyFillsIt) {
    REQUIRE_ROOT();
    Sandbox box;
    ASSERT_TRUE(box.host({"mkdir", box.path("data")}).ok());
    box.write("compose.yaml", R"(
x-base: &base {image: busybox, command: sleep 1000, stop_grace_period: 0s}
services:
  web: {<<: *base, volumes: ["site:/usr/html"]}
  app: {<<: *base, volumes: ["site:/var/data", "host:/var/data2", "memory:/more/data"]}
  seeds: {<<: *base, volumes: ["host:/var/data", "memory:/m"]}
  late: {<<: *base, volumes: ["memory:/var/data"]}
volumes:
  site:
  host: {driver_opts: {type: none, o: bind, device: ./data}}
  memory: {driver_opts: {type: tmpfs, device: tmpfs}}
)");
    const auto seed = [&](const char* service, const char* path) {
        return box.compose({"exec", "-T", service, "cat", std::string(path) + "/seed"}).out;
    };
    box.ok({"up", "-d", "web"});
    EXPECT_EQ(seed("web", "/usr/html"), "") << "its image has nothing there";
    box.ok({"up", "-d", "app"});
    EXPECT_EQ(seed("app", "/var/data"), "from the image\n");
    EXPECT_EQ(seed("web", "/usr/html"), "from the image\n") << "the volume is the same as before";
    box.ok({"up", "-d"});
    EXPECT_EQ(box.host({"cat", box.path("data/seed")}).out, "from the image\n");
    EXPECT_EQ(seed("late", "/var/data"), "from the image\n");
    EXPECT_EQ(seed("seeds", "/m"), "from the image\n");
    box.ok({"exec", "-T", "app", "rm", "/var/data/seed"});
    box.ok({"up", "-d", "--force-recreate", "app"});
    EXPECT_EQ(seed("app", "/var/data"), "from the image\n");
    // A copy that was killed half way is done again.
    ASSERT_TRUE(box.host({"touch", box.state() + "/volumes/demo_site/filling"}).ok());
    box.ok({"exec", "-T", "app", "sh", "-c", "echo half > /var/data/seed"});
    box.ok({"up", "-d", "--force-recreate", "app"});
    EXPECT_EQ(seed("app", "/var/data"), "half\n") << "others use it: what is there may be theirs";
    ASSERT_TRUE(box.host({"touch", box.state() + "/volumes/demo_site/filling"}).ok());
    box.ok({"down", "-t", "0"});
    box.ok({"up", "-d", "app"});
    EXPECT_EQ(seed("app", "/var/data"), "from the image\n");
    box.ok({"down", "-v", "-t", "0"});
    EXPECT_EQ(box.host({"cat", box.path("data/seed")}).out, "from the image\n") << "the folder is the user's";
}

TEST(Volumes, BindsReadOnlyAndTmpfs) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("conf/a.conf", "one\n");
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    read_only: true
    tmpfs: ["/scratch:size=1m,mode=1777"]
    volumes:
      - ./conf:/conf:ro
      - ./conf/a.conf:/etc/one.conf
      - ./made:/made
      - type: tmpfs
        target: /more
        tmpfs: {size: 2m}
)");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.ok({"exec", "-T", "web", "cat", "/conf/a.conf"}), "one\n");
    EXPECT_THAT(box.compose({"exec", "-T", "web", "touch", "/conf/b"}).err, HasSubstr("Read-only"));
    EXPECT_THAT(box.compose({"exec", "-T", "web", "touch", "/b"}).err, HasSubstr("Read-only"));
    box.ok(
        {"exec", "-T", "web", "sh", "-c", "echo two > /etc/one.conf; touch /made/here /scratch/x /more/y /dev/shm/z"});
    EXPECT_EQ(box.host({"cat", box.path("conf/a.conf")}).out, "two\n");
    EXPECT_TRUE(box.host({"test", "-e", box.path("made/here")}).ok());
    EXPECT_THAT(box.ok({"exec", "-T", "web", "mount"}), HasSubstr("/scratch type tmpfs"));
}

TEST(Volumes, AMissingBindSourceIsNamedWithItsLine) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(services:
  web:
    image: busybox
    command: sleep 1000
    volumes:
      - type: bind
        source: ./nosuch
        target: /x
        bind: {create_host_path: false}
)");
    const auto error = box.fails({"up", "-d"});
    EXPECT_THAT(error, HasSubstr("nosuch"));
    EXPECT_EQ(box.ps().size(), 0U);
}

TEST(Volumes, LabelsOfAMountAreTheVolumes) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  db:
    image: busybox
    command: sleep 1000
    volumes:
      - {type: volume, target: /nameless, volume: {labels: {keep: "a day"}}}
      - {type: volume, source: data, target: /data, volume: {labels: {keep: "a year", owner: mount}}}
volumes: {data: {labels: {owner: volume}}}
)");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.ok({"volume", "inspect", "demo_data", "--format", "{{.Labels.keep}} {{.Labels.owner}}"}),
              "a year volume\n");
    const std::string nameless = box.ok({"volume", "ls", "-q", "--filter", "label=keep=a day"});
    ASSERT_EQ(nameless.size(), 65U);
    box.ok({"up", "-d", "--force-recreate", "-t", "0"});
    EXPECT_EQ(box.ok({"volume", "ls", "-q", "--filter", "label=keep=a day"}), nameless);
}

TEST(Volumes, AnonymousVolumesSurviveRecreation) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {db: {image: busybox, command: sleep 1000, volumes: [/data]}}\n");
    box.ok({"up", "-d"});
    box.ok({"exec", "-T", "db", "touch", "/data/x"});
    box.ok({"up", "-d", "--force-recreate", "-t", "0"});
    EXPECT_EQ(box.compose({"exec", "-T", "db", "test", "-e", "/data/x"}).exit_code, 0);
    box.ok({"up", "-d", "--force-recreate", "-V", "-t", "0"});
    EXPECT_NE(box.compose({"exec", "-T", "db", "test", "-e", "/data/x"}).exit_code, 0);
}

}  // namespace
}  // namespace compose::test
