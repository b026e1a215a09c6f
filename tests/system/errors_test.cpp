// Mistakes: the message names the place, the exit code is not 0, nothing is half made.
#include <gmock/gmock.h>

#include "support/sandbox.hpp"

namespace compose::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Errors, EveryFindingWithItsPlace) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(services:
  web:
    image: busybox
    heathcheck: {}
    ports: ["80a:80"]
  db:
    image: busybox
    depends_on: [nosuch]
)");
    const auto error = box.fails({"up", "-d"});
    EXPECT_THAT(error, HasSubstr("compose.yaml:4:5: error: services.web"));
    EXPECT_THAT(error, HasSubstr("healthcheck"));
    EXPECT_THAT(error, HasSubstr("compose.yaml:5:13: error: services.web.ports[0]"));
    EXPECT_THAT(error, HasSubstr("^"));
    EXPECT_EQ(box.ps().size(), 0U);
}

TEST(Errors, AnUnimplementedAttributeIsNotIgnored) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml",
              "services:\n  web:\n    image: busybox\n    credential_spec: {file: x}\n    use_api_socket: true\n");
    EXPECT_THAT(box.fails({"up", "-d"}), AllOf(HasSubstr("compose.yaml:5:"), HasSubstr("use_api_socket")));
}

TEST(Errors, AnUnknownCapability) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml",
              "services:\n  web:\n    image: busybox\n    command: sleep 1000\n    cap_add: [NET_ADMN, ALL]\n");
    EXPECT_THAT(box.fails({"up", "-d"}),
                AllOf(HasSubstr("compose.yaml:2:3: error: services.web: unknown capability \"NET_ADMN\""),
                      HasSubstr("did you mean NET_ADMIN?")));
    EXPECT_THAT(box.compose({"network", "ls", "-q", "--filter", "name=demo"}).out, testing::IsEmpty());
}

TEST(Errors, MissingImage) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services:\n  web:\n    image: nosuch:1.0\n");
    const auto error = box.fails({"up", "-d"});
    EXPECT_THAT(error, AllOf(HasSubstr("compose.yaml:3:12: error: services.web.image"), HasSubstr("nosuch:1.0")));
    EXPECT_EQ(box.ps().size(), 0U);
}

TEST(Errors, NameTaken) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {web: {image: busybox, command: sleep 1000, container_name: mine}}\n");
    box.write("other/compose.yaml", "services: {web: {image: busybox, command: sleep 1000, container_name: mine}}\n");
    box.ok({"up", "-d"});
    EXPECT_THAT(box.fails({"-f", "other/compose.yaml", "up", "-d"}),
                AllOf(HasSubstr("mine"), HasSubstr("already in use")));
}

TEST(Errors, CyclicDependencies) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml",
              "services:\n  a: {image: busybox, depends_on: [b]}\n  b: {image: busybox, depends_on: [a]}\n");
    EXPECT_THAT(box.fails({"up", "-d"}), HasSubstr("cycle"));
}

TEST(Errors, NoFile) {
    REQUIRE_ROOT();
    Sandbox box;
    EXPECT_THAT(box.fails({"up", "-d"}), HasSubstr("no configuration file"));
    EXPECT_THAT(box.fails({"-f", "nosuch.yaml", "up", "-d"}), HasSubstr("nosuch.yaml"));
}

TEST(Errors, UnknownCommandsAndFlags) {
    Sandbox box;
    EXPECT_THAT(box.compose({"upp"}).err, HasSubstr("up"));
    EXPECT_NE(box.compose({"upp"}).exit_code, 0);
    EXPECT_NE(box.compose({"up", "--nosuch"}).exit_code, 0);
    EXPECT_THAT(box.compose({"up", "--nosuch"}).err, HasSubstr("--nosuch"));
}

TEST(Errors, WithoutRoot) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {web: {image: busybox}}\n");
    ASSERT_TRUE(box.host({"chmod", "-R", "a+rX", box.folder() + "/.."}).ok());
    ASSERT_TRUE(box.host({"sh", "-c", "cp " COMPOSE_BINARY " compose-copy && chmod 755 compose-copy"}).ok());
    const auto result =
        box.host({"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "./compose-copy", "up", "-d"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("root"));
    EXPECT_EQ(box.host({"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "./compose-copy", "config",
                        "-q"})
                  .exit_code,
              0);
    ASSERT_TRUE(box.host({"chmod", "0700", box.state()}).ok());
}

TEST(Errors, ABadStartLeavesNothingHalfMade) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(services:
  good: {image: busybox, command: sleep 1000}
  bad: {image: busybox, command: sleep 1000, user: nosuchuser}
)");
    EXPECT_THAT(box.fails({"up", "-d"}, 1), HasSubstr("nosuchuser"));
    box.write(
        "compose.yaml",
        "services:\n  good: {image: busybox, command: sleep 1000}\n  bad: {image: busybox, command: sleep 1000}\n");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-bad-1", "State"), "running");
}

TEST(Errors, AnImageInUseSaysByWhom) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {web: {image: busybox, command: sleep 1000}}\n");
    box.ok({"up", "-d"});
    EXPECT_THAT(box.fails({"image", "rm", "busybox"}), HasSubstr("demo-web-1"));
    EXPECT_THAT(box.fails({"image", "rm", "nosuch"}), HasSubstr("nosuch"));
}

}  // namespace
}  // namespace compose::test
