// What a command leaves alone: services that nobody asked for, and data that the file does not name.
#include <gmock/gmock.h>

#include "support/sandbox.hpp"

namespace compose::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string volumes(const Sandbox& box) {
    return box.ok({"volume", "ls", "-q"});
}

TEST(Selection, DownWithVolumesTakesOnlyThoseOfTheFile) {
    REQUIRE_ROOT();
    Sandbox box;
    const std::string service = "services: {web: {image: busybox, command: sleep 1000, volumes: [\"kept:/k\"";
    box.write("compose.yaml", service + ", \"old:/o\"]}}\nvolumes: {kept: {}, old: {}}\n");
    box.ok({"up", "-d"});
    box.ok({"run", "--rm", "-T", "-v", "precious:/p", "web", "sh", "-c", "echo gold > /p/f"});
    box.write("compose.yaml", service + "]}}\nvolumes: {kept: {}}\n");
    box.ok({"down", "-v", "-t", "0"});
    EXPECT_EQ(volumes(box), "demo_old\nprecious\n");
    EXPECT_EQ(box.ok({"run", "--rm", "-T", "-v", "precious:/p", "web", "cat", "/p/f"}), "gold\n");
    EXPECT_THAT(box.ok({"volume", "inspect", "precious"}), Not(HasSubstr("com.docker.compose")));
    box.ok({"-p", "demo", "down", "-v", "-t", "0"});
    // Without the file, all that the project made goes; what a command named was never its own.
    box.ok({"volume", "rm", "precious"});
    box.write("compose.yaml", service + ", \"old:/o\"]}}\nvolumes: {kept: {}, old: {}}\n");
    box.ok({"down", "-v", "-t", "0"});
    EXPECT_EQ(volumes(box), "");
}

TEST(Selection, AMissingEnvFileMattersToItsOwnServiceOnly) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  other: {image: busybox, command: sleep 1000, env_file: nowhere.env}
  web: {image: busybox, command: sleep 1000}
)");
    for (const auto& command : std::vector<std::vector<std::string>>{{"up", "-d", "web"},
                                                                     {"create", "web"},
                                                                     {"run", "--rm", "-T", "web", "true"},
                                                                     {"config", "-q", "web"},
                                                                     {"config", "--hash", "web"},
                                                                     {"stop", "-t", "0"},
                                                                     {"down", "-t", "0"}})
        (void)box.ok(command);
    EXPECT_THAT(box.fails({"up", "-d"}), AllOf(HasSubstr("compose.yaml:3:"), HasSubstr("nowhere.env")));
    EXPECT_TRUE(box.ps().empty());
}

}  // namespace
}  // namespace compose::test
