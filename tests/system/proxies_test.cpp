// The proxies of Docker's client configuration, in containers and in builds.
#include <gmock/gmock.h>

#include "support/builds.hpp"

namespace compose::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

void use_proxy(const Sandbox& box, const std::string& url) {
    box.write("docker/config.json", R"({"proxies": {"default": {"httpProxy": ")" + url + R"(", "noProxy": "local"}}})");
}

TEST(Proxies, ReachContainersAndTheServicesOwnWordWins) {
    REQUIRE_ROOT();
    Sandbox box;
    box.environment["DOCKER_CONFIG"] = box.path("docker");
    use_proxy(box, "http://one");
    box.write("compose.yaml",
              "services:\n  web: {image: busybox, command: sleep 1000, stop_grace_period: 0s, environment: {NO_PROXY: "
              "own}}\n");
    const char* const show = "echo $HTTP_PROXY $http_proxy $NO_PROXY $no_proxy";
    box.ok({"up", "-d"});
    EXPECT_EQ(box.ok({"exec", "-T", "web", "sh", "-c", show}), "http://one http://one own local\n");
    EXPECT_EQ(box.ok({"run", "-T", "--rm", "-e", "http_proxy=x", "web", "sh", "-c", show}), "http://one x own local\n");
    EXPECT_EQ(box.ok({"container", "run", "--rm", "busybox", "sh", "-c", show}), "http://one http://one local local\n");
    EXPECT_THAT(box.ok({"config"}), Not(HasSubstr("http://one")));
    // Another proxy makes nobody anew.
    use_proxy(box, "http://two");
    EXPECT_EQ(box.compose({"plan"}).exit_code, 0);
    box.ok({"up", "-d", "--force-recreate"});
    EXPECT_EQ(box.ok({"exec", "-T", "web", "sh", "-c", show}), "http://two http://two own local\n");
    // A file that says nothing sensible is warned of.
    box.write("docker/config.json", "{");
    const auto warned = box.compose({"up", "-d"});
    EXPECT_EQ(warned.exit_code, 0);
    EXPECT_THAT(warned.err, AllOf(HasSubstr("docker/config.json"), HasSubstr("proxies")));
}

TEST(Proxies, ReachBuildsAndLeaveNothingBehind) {
    REQUIRE_ROOT();
    Sandbox box;
    box.environment["DOCKER_CONFIG"] = box.path("docker");
    use_proxy(box, "http://one");
    const std::string dockerfile = "FROM busybox\nRUN echo $HTTP_PROXY $http_proxy $NO_PROXY > /seen\n";
    box.write("Dockerfile", dockerfile);
    box.write("compose.yaml", "services:\n  web: {image: built, build: {context: ., args: {NO_PROXY: own}}}\n");
    box.ok({"build"});
    EXPECT_EQ(in_image(box, "cat /seen"), "http://one http://one own\n");
    EXPECT_THAT(box.ok({"image", "history", "--no-trunc", "built"}) + box.ok({"image", "inspect", "built"}),
                Not(HasSubstr("http://one")));
    // What was built behind one proxy is as good behind another.
    use_proxy(box, "http://two");
    EXPECT_THAT(built(box, dockerfile).err, HasSubstr("CACHED"));
    EXPECT_EQ(in_image(box, "cat /seen"), "http://one http://one own\n");
    (void)built(box, dockerfile, {"--no-cache", "--build-arg", "http_proxy=flag"});
    EXPECT_EQ(in_image(box, "cat /seen"), "http://two flag local\n");
}

}  // namespace
}  // namespace compose::test
