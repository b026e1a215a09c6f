// use_api_socket and SELinux options: what depends on what else runs on the host.
#include <gmock/gmock.h>

#include "support/sandbox.hpp"

namespace compose::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kListen =
    "import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1])";  // the socket's file stays

TEST(ApiSocket, IsGivenWithItsUsersCredentials) {
    REQUIRE_ROOT();
    Sandbox box;
    const std::string socket = box.path("api.sock");
    box.environment["DOCKER_HOST"] = "unix://" + socket;
    box.environment["DOCKER_CONFIG"] = box.path("docker");
    box.write("docker/config.json", R"({"auths": {"registry.test": {"auth": "bWU6c2VjcmV0"}}})");
    box.write("compose.yaml", R"(
services:
  tool: {image: busybox, command: sleep 1000, use_api_socket: true}
  own: {image: busybox, command: sleep 1000, use_api_socket: true, environment: {DOCKER_CONFIG: /mine}}
  without: {image: busybox, command: sleep 1000}
)");
    EXPECT_THAT(box.fails({"up", "-d"}),
                AllOf(HasSubstr("compose.yaml:3:"), HasSubstr("there is no API socket " + socket + " on this host")));
    EXPECT_TRUE(box.ps().empty());
    ASSERT_TRUE(box.host({"python3", "-c", kListen, socket}).ok());
    box.ok({"up", "-d"});
    EXPECT_EQ(box.ok({"exec", "-T", "tool", "sh", "-c", "test -S /var/run/docker.sock && echo $DOCKER_CONFIG"}),
              "/run/secrets/docker\n");
    EXPECT_THAT(box.ok({"exec", "-T", "tool", "cat", "/run/secrets/docker/config.json"}),
                AllOf(HasSubstr("registry.test"), HasSubstr("bWU6c2VjcmV0")));
    EXPECT_EQ(box.ok({"exec", "-T", "own", "sh", "-c",
                      "test -S /var/run/docker.sock && ! test -e /run/secrets && echo $DOCKER_CONFIG"}),
              "/mine\n");
    EXPECT_NE(box.compose({"exec", "-T", "without", "test", "-e", "/var/run/docker.sock"}).exit_code, 0);
    const auto id = box.field("demo-tool-1", "ID");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-tool-1", "ID"), id) << "nothing has changed";
    EXPECT_EQ(box.ok({"container", "run", "--rm", "--use-api-socket", "busybox", "test", "-S", "/var/run/docker.sock"}),
              "");
}

TEST(ApiSocket, WhatDockerHostSaysMattersToNobodyElse) {
    REQUIRE_ROOT();
    Sandbox box;
    box.environment["DOCKER_HOST"] = "ssh:";
    box.write("compose.yaml", "services: {web: {image: busybox, command: sleep 1000, stop_grace_period: 0s}}\n");
    const auto said = box.compose({"up", "-d"});
    EXPECT_THAT(said.err, Not(HasSubstr("bug of compose")));
}

TEST(SecurityOptions, AStackWithLabelsRunsWithoutSELinux) {
    REQUIRE_ROOT();
    Sandbox box;
    if (box.host({"test", "-e", "/sys/fs/selinux/enforce"}).ok()) GTEST_SKIP() << "this host has SELinux";
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    security_opt: ["label=type:web_t", "label:disable"]
    volumes: ["./data:/data:z"]
)");
    const auto said = box.compose({"up", "-d"});
    EXPECT_EQ(said.exit_code, 0) << said.err;
    EXPECT_THAT(said.err, AllOf(HasSubstr("compose.yaml:6:"), HasSubstr("this host has no SELinux"),
                                Not(HasSubstr("security_opt[1]")), Not(HasSubstr("volumes"))));
    EXPECT_EQ(box.field("demo-web-1", "State"), "running");
}

}  // namespace
}  // namespace compose::test
