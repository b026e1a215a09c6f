// Flags and commands of former times: hidden, but what Docker Compose still takes is taken here, and said so.
#include <gmock/gmock.h>

#include "base/strings.hpp"
#include "support/sandbox.hpp"
#include "sys/file.hpp"

namespace compose::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kApp = R"(
services:
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    ports: ["127.0.0.1:18080-18081:80"]
    depends_on: [db]
    volumes: [data:/data]
  db: {image: busybox, command: sleep 1000, stop_grace_period: 0s, networks: [back]}
volumes: {data: {}}
networks: {back: {}}
)";

TEST(OldNames, OfGlobalOptions) {
    REQUIRE_ROOT();
    Sandbox box;
    sys::make_directory(box.path("elsewhere"));
    box.write("elsewhere/compose.yaml", "services: {one: {image: busybox}}\n");
    const auto first = box.compose({"--workdir", "elsewhere", "--no-ansi", "config", "--services"});
    EXPECT_EQ(first.out, "one\n");
    EXPECT_THAT(first.err, AllOf(HasSubstr("--workdir is deprecated"), HasSubstr("--no-ansi is deprecated")));
    EXPECT_EQ(box.ok({"config", "--services", "--workdir=elsewhere"}), "one\n") << "anywhere on the line";
    EXPECT_THAT(box.fails({"--no-ansi", "--ansi", "always", "version"}), HasSubstr("exclude each other"));
    const auto colour = box.compose({"--no-ansi", "--workdir", "elsewhere", "--project-directory", "elsewhere", "ps"});
    EXPECT_THAT(colour.err, HasSubstr("--workdir and --project-directory exclude each other"));
    EXPECT_THAT(box.compose({"--verbose", "--workdir", "elsewhere", "ps"}).err, HasSubstr("deprecated"));
    EXPECT_EQ(box.ok({"-v"}), box.ok({"--version"}));
    EXPECT_THAT(box.ok({"--help"}), Not(testing::ContainsRegex("--workdir|--no-ansi|--verbose|--host|--context")));
    EXPECT_THAT(box.ok({"__complete", "--"}), Not(testing::ContainsRegex("--workdir|--host|--context")));
    // docker-compose takes Docker's own options, and its name once more.
    box.write("compose.yaml", "services: {two: {image: busybox}}\n");
    EXPECT_EQ(box.ok({"--context", "default", "--log-level", "INFO", "-H", "unix:///var/run/docker.sock", "compose",
                      "config", "--services"}),
              "two\n");
    EXPECT_THAT(box.fails({"--host", "tcp://192.0.2.1:2375", "ps"}), HasSubstr("--host"));
    EXPECT_THAT(box.fails({"ps", "--host", "tcp://192.0.2.1:2375"}), HasSubstr("--host"));
    EXPECT_THAT(box.fails({"--context", "far", "ps"}), HasSubstr("no context but default"));
    EXPECT_THAT(box.fails({"--tls", "ps"}), HasSubstr("no daemon"));
    EXPECT_THAT(box.compose({"-D", "ps", "-q"}).err, Not(HasSubstr("unknown")));
    const auto json = box.compose({"--progress", "json", "--workdir", "elsewhere", "ps", "-q"});
    EXPECT_THAT(json.err, HasSubstr(R"({"warning":true,"message":"--workdir is deprecated)"));
    EXPECT_EQ(box.compose({"--progress", "none", "--project-directory", "elsewhere", "down"}).err, "");
}

TEST(OldNames, OfRunDownAndRm) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kApp);
    box.write("note", "from here\n");
    EXPECT_EQ(box.ok({"run", "--no-deps", "--labels", "a=b", "--volumes", "./note:/note:ro", "--name", "once", "web",
                      "cat", "/note"}),
              "from here\n");
    EXPECT_THAT(box.ok({"container", "inspect", "once"}), HasSubstr(R"("a": "b")"));
    const auto removed = box.compose({"rm", "-fa"});
    EXPECT_EQ(removed.exit_code, 0);
    EXPECT_THAT(removed.err, HasSubstr("-a has no effect"));
    EXPECT_EQ(box.field("once", "State"), "");
    EXPECT_THAT(box.ok({"volume", "ls", "-q"}), HasSubstr("demo_data"));
    EXPECT_THAT(box.compose({"down", "--volume"}).err, HasSubstr("--volume is deprecated: use --volumes"));
    EXPECT_EQ(box.ok({"volume", "ls", "-q"}), "");
}

TEST(OldNames, WithoutEffectOnBuildAndPull) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {own: {build: .}, other: {image: nosuch, build: .}}\n");
    box.write("Dockerfile", "FROM busybox\nRUN echo built > /built\n");
    const auto built = box.compose({"build", "--compress", "--force-rm", "--no-rm=false", "--parallel", "own"});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    for (const char* name : {"--compress", "--force-rm", "--no-rm", "--parallel"})
        EXPECT_THAT(built.err, HasSubstr(std::string(name) + " has no effect: ")) << name;
    EXPECT_EQ(box.ok({"image", "ls", "--format", "{{.Repository}}"}).find("demo-other"), std::string::npos)
        << "--parallel takes no word from the services";
    EXPECT_THAT(box.ok({"image", "ls", "--format", "{{.Repository}}"}), HasSubstr("demo-own\n"));
    EXPECT_THAT(box.compose({"pull", "--no-parallel", "--parallel", "nothere"}).err,
                AllOf(HasSubstr("--parallel has no effect"), HasSubstr("no such service: nothere")));
    EXPECT_THAT(box.fails({"pull", "--parallel=4"}), HasSubstr("true or false"));
    EXPECT_THAT(box.ok({"pull", "--help"}), HasSubstr("without effect: --no-parallel, --parallel"));
    EXPECT_THAT(box.ok({"man", "build"}), HasSubstr("without effect: "));
}

TEST(OldNames, OfAlphaCommands) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kApp);
    const auto dry = box.compose({"alpha", "dry-run", "--", "up", "-d"});
    EXPECT_EQ(dry.exit_code, 0) << dry.err;
    EXPECT_TRUE(box.ps().empty());
    EXPECT_THAT(dry.out + dry.err, HasSubstr("demo-web-1"));
    box.ok({"up", "-d"});
    EXPECT_THAT(box.compose({"alpha", "dry-run", "stop"}).err, HasSubstr("DRY-RUN"));
    EXPECT_EQ(box.field("demo-web-1", "State"), "running");
    EXPECT_THAT(box.fails({"alpha", "dry-run"}), HasSubstr("requires COMMAND"));
    EXPECT_THAT(box.ok({"alpha", "dry-run", "--help"}), HasSubstr("compose --dry-run up -d"));
    EXPECT_THAT(box.compose({"alpha", "scale", "web=2"}).err, HasSubstr("scale is a command of its own now"));
    EXPECT_EQ(box.field("demo-web-2", "State"), "running");
    EXPECT_THAT(box.fails({"alpha", "watch", "web"}), HasSubstr("watch is a command of its own now"));
}

TEST(OldNames, VizDrawsWhatItsFlagsSay) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kApp);
    const auto plain = box.ok({"alpha", "viz"});
    EXPECT_THAT(plain,
                AllOf(testing::StartsWith("digraph \"demo\" {\n\tlayout=dot;\n"), HasSubstr("\"web\" -> \"db\";"),
                      Not(HasSubstr("busybox")), Not(HasSubstr("18080")), Not(HasSubstr("back"))));
    EXPECT_THAT(box.ok({"alpha", "viz", "--image"}), HasSubstr("<b>Image:</b><br/>busybox</font>"));
    EXPECT_THAT(box.ok({"alpha", "viz", "--networks"}), HasSubstr("<b>Networks:</b><br/>back</font>"));
    EXPECT_THAT(box.ok({"alpha", "viz", "--ports"}),
                HasSubstr("<b>Ports:</b><br/>127.0.0.1:18080-18081:80 (tcp, ingress)</font>"));
    EXPECT_THAT(box.ok({"alpha", "viz", "--spaces", "--indentation-size", "3"}), HasSubstr("\n   layout=dot;"));
    EXPECT_THAT(box.ok({"alpha", "viz", "--indentation-size=2"}), HasSubstr("\n\t\tlayout=dot;"));
    EXPECT_THAT(box.fails({"alpha", "viz", "--indentation-size=-1"}), HasSubstr("negative"));
}

}  // namespace
}  // namespace compose::test
