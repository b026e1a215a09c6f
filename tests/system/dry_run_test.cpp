// --dry-run: every command that changes something says what it would do, and changes nothing.
#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/json.hpp"
#include "base/strings.hpp"
#include "support/background.hpp"
#include "support/sandbox.hpp"
#include "sys/file.hpp"

namespace compose::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

namespace fs = std::filesystem;

/// Everything that a command could change: names below the state and the project's folder, contents of the latter,
/// what has happened to any object, which processes run. Only the database's own files may differ.
std::string snapshot(const Sandbox& box) {
    std::vector<std::string> lines;
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(box.state(), error)) {
        const auto path = entry.path().string();
        if (!entry.path().filename().string().starts_with("state.db")) lines.push_back(path);
    }
    for (const auto& entry : fs::recursive_directory_iterator(box.folder(), error)) {
        lines.push_back(entry.path().string());
        if (entry.is_regular_file()) lines.back() += "\n" + sys::read_file(entry.path().string());
    }
    std::sort(lines.begin(), lines.end());
    for (const auto& line : box.ps()) {
        const auto row = parse_json(line).as_object();
        const auto name = string_or(row, "Name");
        lines.push_back(fmt::format("{} {} {} {}", name, string_or(row, "ID"), string_or(row, "State"),
                                    string_or(row, "State") == "running" ? box.pid_of(name) : 0));
    }
    lines.push_back(box.ok({"image", "ls", "-a", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}"}));
    lines.push_back(box.ok({"network", "ls", "--no-trunc", "--format", "{{.ID}} {{.Name}}"}));
    lines.push_back(box.ok({"volume", "ls", "-q"}));
    lines.push_back(box.ok({"system", "events", "--since", "1h", "--until", "0s"}));
    return join(lines, "\n");
}

struct Case {
    std::vector<std::string> command;
    std::vector<std::string> told;  // in this order, each after " DRY-RUN MODE -  "
};

void changes_nothing(const Sandbox& box, const Case& one) {
    const auto words = join(one.command, " ");
    const auto before = snapshot(box);
    auto command = one.command;
    command.insert(command.begin(), "--dry-run");
    const auto result = box.compose(command);
    EXPECT_EQ(result.exit_code, 0) << words << ": " << result.err;
    EXPECT_EQ(snapshot(box), before) << words;
    std::size_t at = 0;
    for (const auto& text : one.told) {
        at = result.err.find(" DRY-RUN MODE -  " + text, at);
        ASSERT_NE(at, std::string::npos) << words << " does not say " << text << ":\n" << result.err;
    }
}

constexpr const char* kStack = R"(
services:
  web: {image: busybox, command: sleep 1000, stop_grace_period: 0s, depends_on: [db], volumes: [data:/data, /own]}
  db: {image: busybox, command: sleep 1000, stop_grace_period: 0s, scale: 2}
  app: {build: {context: .}, command: "true", profiles: [build]}
  more:
    image: busybox
    command: sleep 1000
    profiles: [build]
    build: .
    develop: {watch: [{path: ., action: sync, target: /src}]}
volumes: {data: {}, spare: {}}
)";

TEST(DryRun, OfWhatRunsChangesNothing) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("Dockerfile", "FROM busybox\nRUN echo hi\n");
    box.write("file", "text\n");
    box.write("compose.yaml", kStack);
    box.ok({"up", "-d"});
    box.ok({"run", "-d", "--name", "once", "web", "sleep", "1000"});
    const std::vector<Case> cases{
        {{"up", "-d"}, {"Container demo-db-1 Running"}},
        {{"up", "-d", "--force-recreate", "web"}, {"Container demo-web-1 Recreate\n", "Container demo-web-1 Started"}},
        {{"--all-resources", "create"}, {"Volume demo_spare Created"}},
        {{"scale", "db=3"}, {"Container demo-db-3 Created", "Container demo-db-3 Started"}},
        {{"up", "-d", "--scale", "db=1"}, {"Container demo-db-2 Removed"}},
        {{"build", "app"}, {"Image demo-app Building", "Image demo-app Built"}},
        {{"run", "--rm", "app"}, {"Image demo-app Built", "Container demo-app-run Created"}},
        {{"run", "-d", "web"}, {"Container demo-web-run Created", "Container demo-web-run Started"}},
        {{"exec", "-T", "web", "touch", "/new"}, {"Container demo-web-1 Executed"}},
        {{"attach", "web"}, {"Container demo-web-1 Attached"}},
        {{"restart"}, {"Container demo-db-1 Restarting", "Container demo-web-1 Started"}},
        {{"pause"}, {"Container demo-db-1 Pausing"}},
        {{"kill"}, {"Container demo-db-1 Killed"}},
        {{"stop"}, {"Container demo-web-1 Stopped", "Container demo-db-1 Stopping"}},
        {{"rm", "-sfv"}, {"Container demo-web-1 Stopped", "Container demo-web-1 Removed"}},
        {{"rm", "-s", "web"}, {"Container demo-web-1 Stopped", "Container demo-web-1 Removed"}},
        {{"commit", "web", "made:1"}, {"Container demo-web-1 Committing", "Container demo-web-1 Committed"}},
        {{"export", "-o", "root.tar", "web"}, {"Container demo-web-1 Exported"}},
        {{"cp", "web:/etc/passwd", "here"}, {"Container demo-web-1 Copying", "Container demo-web-1 Copied"}},
        {{"cp", "file", "db:/there"}, {"Container demo-db-1 Copied", "Container demo-db-2 Copied"}},
        {{"watch", "--no-up", "more"}, {}},
        {{"--profile", "*", "down", "-v", "--rmi", "all", "--remove-orphans"},
         {"Container demo-web-1 Stopped", "Network demo_default Removed", "Volume demo_data Removed",
          "Image busybox Removed", "Image demo-app No resource found to remove"}}};
    for (const auto& one : cases) changes_nothing(box, one);
    box.ok({"pause", "web"});
    changes_nothing(box, {{"unpause", "web"}, {"Container demo-web-1 Unpaused"}});
    box.ok({"unpause", "web"});
    box.ok({"stop", "db"});
    changes_nothing(box, {{"start", "db"}, {"Container demo-db-1 Started", "Container demo-db-2 Started"}});
    changes_nothing(box, {{"rm", "db"}, {"Container demo-db-1 Removed"}});
}

// Commands about single objects tell what they would do, or say that they can't.
TEST(DryRun, OfSingleObjectsChangesNothing) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("Dockerfile", "FROM busybox\n");
    box.write("compose.yaml", kStack);
    box.ok({"up", "-d", "web"});
    box.ok({"volume", "create", "lonely"});
    for (const char* line : {"container stop -t 0 demo-web-1",
                             "container kill demo-web-1",
                             "container restart -t 0 demo-web-1",
                             "container pause demo-web-1",
                             "container rm -f demo-web-1",
                             "container rename demo-web-1 x",
                             "container update -m 64m demo-web-1",
                             "container exec demo-web-1 touch /x",
                             "container run -d busybox true",
                             "container create busybox true",
                             "container cp demo-web-1:/etc/passwd here",
                             "container commit demo-web-1 x",
                             "container export -o here demo-web-1",
                             "container prune -f",
                             "image tag busybox x",
                             "image rm busybox",
                             "image build -t x .",
                             "image save -o here busybox",
                             "image prune -af",
                             "network create x",
                             "network rm demo_default",
                             "network disconnect demo_default demo-web-1",
                             "network prune -f",
                             "volume create x",
                             "volume rm lonely",
                             "volume prune -af",
                             "system prune -af --volumes",
                             "bridge transformations create -f busybox x",
                             "bridge convert -o here"}) {
        const auto before = snapshot(box);
        auto words = split(line, ' ');
        words.insert(words.begin(), "--dry-run");
        const auto result = box.compose(words);
        EXPECT_EQ(snapshot(box), before) << line;
        EXPECT_THAT(result.err, AnyOf(HasSubstr(" DRY-RUN MODE -  "), HasSubstr(" has no dry run"))) << line;
    }
    box.ok({"volume", "rm", "lonely"});
}

TEST(DryRun, OfUpTellsAllStepsInOrder) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("Dockerfile", "FROM busybox\nRUN echo hi\n");
    box.write("compose.yaml", kStack);
    changes_nothing(box, {{"--profile", "build", "up", "-d", "web", "app"},
                          {"Image demo-app Building", "Image demo-app Built", "Network demo_default Created",
                           "Volume demo_data Created", "Container demo-db-1 Created", "Container demo-db-1 Started",
                           "Container demo-web-1 Created", "Container demo-web-1 Started"}});
    const auto attached = box.compose({"up", "--dry-run", "web"});
    EXPECT_THAT(attached.out, HasSubstr("interactive run is not supported in dry-run mode"));
    const auto told = box.compose({"--progress", "json", "create", "--dry-run", "db"});
    EXPECT_EQ(told.out, "");
    for (const auto& line : split(std::string(trim(told.err)), '\n'))
        EXPECT_TRUE(bool_or(parse_json(line).as_object(), "dry-run", false)) << line;
    EXPECT_THAT(told.err, HasSubstr("\"id\":\"Container demo-db-2\",\"status\":\"Done\",\"text\":\"Created\""));
    const auto quiet = box.compose({"--progress", "quiet", "up", "-d", "--dry-run"});
    EXPECT_EQ(quiet.out + quiet.err, "");
}

TEST(DryRun, OfPullAndPushOnlyAsksTheRegistry) {
    REQUIRE_ROOT();
    Sandbox box;
    const TestRegistry registry(box);
    const auto name = registry.name("a:1");
    box.ok({"image", "tag", "busybox", name});
    box.write("Dockerfile", "FROM busybox\n");
    box.write("compose.yaml",
              "services:\n  a: {image: \"" + name + "\", build: .}\n  b: {image: \"" + name + "\"}\n  c: {build: .}\n");
    changes_nothing(box, {{"push"}, {"Image " + name + " Pushing", "Image " + name + " Pushed", "c Skipped"}});
    EXPECT_THAT(box.fails({"pull", "b"}), HasSubstr("has no ")) << "nothing was pushed";
    EXPECT_THAT(box.fails({"--dry-run", "pull", "b"}), HasSubstr("services.b.image"));
    box.ok({"push", "a"});
    box.ok({"image", "rm", name});
    changes_nothing(box, {{"pull", "b"}, {"Image " + name + " Pulling", "Image " + name + " Pulled"}});
    changes_nothing(box, {{"pull", "c"}, {"c Skipped No image to be pulled"}});
    changes_nothing(box, {{"create", "b"}, {"Image " + name + " Pulled", "Container demo-b-1 Created"}});
    box.ok({"pull", "b"});
    EXPECT_THAT(box.ok({"image", "ls", "-q", name}), Not(testing::IsEmpty()));
}

}  // namespace
}  // namespace compose::test
