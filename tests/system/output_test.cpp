// What commands print, field by field and column by column, is what scripts written for Docker Compose read.
#include <gmock/gmock.h>

#include "base/json.hpp"
#include "base/strings.hpp"
#include "support/sandbox.hpp"

namespace compose::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kStack = R"(
services:
  web: {image: busybox, command: "sh -c 'echo a; exec sleep 1000'", stop_grace_period: 0s, volumes: [data:/data]}
  db: {image: busybox, command: sleep 1000, stop_grace_period: 0s}
volumes: {data: {}, spare: {}}
networks: {back: {}}
)";

std::vector<std::string> keys_of(const json::object& object) {
    std::vector<std::string> out;
    for (const auto& [key, value] : object) out.emplace_back(key);
    return out;
}

json::object first_line(const std::string& text) {
    return parse_json(text.substr(0, text.find('\n'))).as_object();
}

json::object first_of_list(const std::string& text) {
    return parse_json(text).as_array().at(0).as_object();
}

TEST(Output, JsonHasTheFieldsOfDocker) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kStack);
    box.ok({"up", "-d"});
    EXPECT_THAT(keys_of(first_line(box.ok({"ps", "--format", "json"}))),
                ElementsAre("Command", "CreatedAt", "Engine", "ExitCode", "Health", "ID", "Image", "Labels",
                            "LocalVolumes", "Mounts", "Name", "Names", "Networks", "Ports", "Project", "Publishers",
                            "RunningFor", "Service", "Size", "State", "Status"));
    EXPECT_THAT(keys_of(first_of_list(box.ok({"images", "--format", "json"}))),
                ElementsAre("ID", "ContainerName", "Repository", "Tag", "Platform", "Size", "Created", "LastTagTime"));
    EXPECT_THAT(keys_of(first_of_list(box.ok({"ls", "--format", "json"}))),
                ElementsAre("Name", "Status", "ConfigFiles"));
    EXPECT_THAT(keys_of(first_line(box.ok({"volumes", "--format", "json"}))),
                ElementsAre("Availability", "Driver", "Group", "Labels", "Links", "Mountpoint", "Name", "Scope", "Size",
                            "Status"));
    EXPECT_THAT(keys_of(first_line(box.ok({"stats", "--no-stream", "--format", "json"}))),
                ElementsAre("BlockIO", "CPUPerc", "Container", "ID", "MemPerc", "MemUsage", "Name", "NetIO", "PIDs"));
    EXPECT_THAT(keys_of(first_line(box.ok({"version", "--format", "json"}))), ElementsAre("version"));
}

TEST(Output, PsKnowsSizesAndTemplates) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kStack);
    box.ok({"up", "-d"});
    box.ok({"exec", "-T", "web", "dd", "if=/dev/zero", "of=/big", "bs=1000", "count=100"});
    EXPECT_THAT(box.field("demo-web-1", "Size"), StartsWith("100kB (virtual "));
    EXPECT_THAT(box.ok({"ps", "--format", "table {{.Name}}\t{{.Size}}"}),
                AllOf(StartsWith("NAME         SIZE\n"), HasSubstr("demo-web-1   100kB (virtual ")));
    EXPECT_THAT(box.ok({"container", "ls", "--format", "{{json .}}"}), HasSubstr("\"Size\":\"100kB (virtual "));
    EXPECT_THAT(
        box.ok({"ps", "--format", "raw", "db"}),
        testing::MatchesRegex("container_id: [0-9a-f]{12}\nimage: busybox\ncommand: \"sleep 1000\"\ncreated_at: "
                              "[^\n]*\nstate: running\nstatus: Up [^\n]*\nnames: demo-db-1\nlabels: "
                              "[^\n]*\nports: \n\n"));
    EXPECT_THAT(box.ok({"ps", "web"}), HasSubstr(" \"sh -c 'echo a; exec…\" "));
    box.write("docker/config.json", R"({"psFormat": "{{.Service}}={{.LocalVolumes}}"})");
    box.environment["DOCKER_CONFIG"] = box.path("docker");
    EXPECT_EQ(box.ok({"ps"}), "db=0\nweb=1\n");
    EXPECT_THAT(box.ok({"ps", "--format", "table"}), StartsWith("NAME         IMAGE     COMMAND"));
}

TEST(Output, TablesAreSpacedAsDockers) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kStack);
    box.ok({"up", "-d"});
    EXPECT_EQ(box.ok({"ls"}),
              "NAME                STATUS              CONFIG FILES\ndemo                running(2)          " +
                  box.path("compose.yaml") + "\n");
    EXPECT_THAT(box.ok({"images"}),
                StartsWith("CONTAINER           REPOSITORY          TAG                 PLATFORM    "
                           "        IMAGE ID            SIZE                CREATED\n"));
    EXPECT_THAT(box.ok({"top", "db"}),
                testing::MatchesRegex("SERVICE  #   UID   PID +PPID +C   STIME  TTY  TIME      CMD\ndb       1   root  "
                                      "[0-9]+ +[0-9]+ +[0-9]+ +[^ ]+ +\\?    00:00:00  sleep 1000\n"));
    EXPECT_THAT(box.ok({"volumes"}), StartsWith("DRIVER    VOLUME NAME\nlocal     demo_data\n"));
    EXPECT_THAT(box.ok({"stats", "--no-stream"}),
                StartsWith("CONTAINER ID   NAME         CPU %     MEM USAGE / LIMIT"));
    EXPECT_THAT(box.ok({"config", "--variables"}),
                StartsWith("NAME                REQUIRED            DEFAULT VALUE       ALTERNATE VALUE\n"));
}

TEST(Output, CommandsSayWhatTheyDo) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kStack);
    EXPECT_THAT(box.compose({"--all-resources", "create", "web"}).err,
                AllOf(HasSubstr(" Volume demo_spare Created\n"), HasSubstr(" Network demo_back Created\n")));
    EXPECT_EQ(box.compose({"kill"}).err, "No container to kill\n");
    EXPECT_THAT(box.compose({"up", "-d"}).err, HasSubstr(" Container demo-web-1 Started\n"));
    EXPECT_EQ(box.compose({"cp", "web:/etc/passwd", "."}).err,
              " Container demo-web-1 Copying\n Container demo-web-1 Copied\n");
    EXPECT_THAT(box.compose({"--progress", "json", "cp", "web:/nosuch", "."}).err,
                HasSubstr("{\"id\":\"Container demo-web-1\",\"status\":\"Error\",\"text\":\"Error\",\"details\":"));
    EXPECT_EQ(box.compose({"export", "-o", "root.tar", "web"}).err,
              " Container demo-web-1 Exporting\n Container demo-web-1 Exported\n");
    box.ok({"commit", "-m", "a remark", "web", "kept:1"});
    EXPECT_EQ(box.ok({"image", "inspect", "-f", "{{.Comment}}", "kept:1"}), "a remark\n");
    EXPECT_EQ(box.ok({"rm", "-sf", "web"}), "Going to remove demo-web-1\n");
    EXPECT_EQ(box.compose({"rm", "-f"}).err, "No stopped containers\n");
    EXPECT_THAT(box.fails({"ps", "--no-trunc=maybe"}), HasSubstr("invalid argument \"maybe\" for \"--no-trunc\""));
    EXPECT_THAT(box.compose({"down", "-v"}).err, HasSubstr(" Volume demo_data Removed\n"));
    box.ok({"--all-resources", "down", "-v"});
    EXPECT_THAT(box.compose({"down"}).err, HasSubstr("Warning: No resource found to remove for project \"demo\"."));
}

}  // namespace
}  // namespace compose::test
