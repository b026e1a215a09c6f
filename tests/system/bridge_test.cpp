// bridge and alpha generate: from a Compose file to others' files, and from containers to a Compose file.
#include <csignal>
#include <filesystem>

#include <gmock/gmock.h>

#include "base/json.hpp"
#include "support/background.hpp"
#include "support/builds.hpp"
#include "support/sandbox.hpp"
#include "sys/file.hpp"

namespace compose::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
namespace fs = std::filesystem;

constexpr const char* kShop = R"(
services:
  web: {image: shaper, command: "echo $$HOME", ports: ["80"], secrets: [key]}
secrets: {key: {file: ./key}}
)";

/// A transformation, as an image: `script` is its program.
void make_transformation(const Sandbox& box, const std::string& name, const std::string& script,
                         const std::string& more = "") {
    fs::create_directories(box.path("image/templates/deep"));
    box.write("image/run.sh", script);
    box.write("image/templates/one.tmpl", "template one\n");
    box.write("image/templates/deep/two.tmpl", "template two\n");
    box.write("image/Dockerfile",
              "FROM busybox\nLABEL com.docker.compose.bridge=transformation\nEXPOSE 8080\n"
              "COPY templates /templates\nCOPY run.sh /run.sh\n" +
                  more + "\nCMD [\"sh\", \"/run.sh\"]\n");
    box.ok({"image", "build", "-q", "-t", name, "image"});
}

std::vector<std::string> files_of(const std::string& folder) {
    std::vector<std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (!entry.is_directory() || entry.is_symlink()) out.push_back(entry.path().lexically_relative(folder));
    std::sort(out.begin(), out.end());
    return out;
}

void expect_nothing_left(const Sandbox& box) {
    EXPECT_EQ(box.ok({"container", "ls", "-aq"}), "");
    EXPECT_EQ(box.ok({"volume", "ls", "-q"}), "");
}

TEST(Bridge, ConvertsTheModelByOneImageAfterTheOther) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kShop);
    box.write("key", "hush\n");
    make_transformation(box, "shaper", R"(
echo "as $(id -u) license $LICENSE_AGREEMENT"
cat /in/compose.yaml > /out/model.yaml
cat /templates/one.tmpl > /out/from-template
touch /in/x 2>/dev/null || echo "the input is read-only"
mkdir -p /out/charts; echo chart > /out/charts/web
)");
    make_transformation(box, "second", "cat /out/from-template > /out/seen-by-second; rm /out/from-template\n");
    const auto first = box.compose({"bridge", "convert", "-t", "shaper"});
    ASSERT_EQ(first.exit_code, 0) << first.err;
    EXPECT_EQ(first.out, "as 0 license true\nthe input is read-only\n");
    EXPECT_THAT(files_of(box.path("out")), testing::ElementsAre("charts/web", "from-template", "model.yaml"));
    EXPECT_EQ(sys::read_file(box.path("out/from-template")), "template one\n");
    EXPECT_THAT(sys::read_file(box.path("out/model.yaml")),
                AllOf(HasSubstr("name: demo\n"), HasSubstr("- $HOME\n"), HasSubstr("expose:\n      - \"80\"\n"),
                      HasSubstr("- \"8080\"\n"), HasSubstr("content: |\n      hush\n")));
    expect_nothing_left(box);

    fs::create_directories(box.path("own"));
    box.write("own/one.tmpl", "template of mine\n");
    box.ok({"bridge", "convert", "--templates", "own", "-t", "shaper", "-t", "second", "-o", "a/b"});
    EXPECT_EQ(sys::read_file(box.path("a/b/seen-by-second")), "template of mine\n");
    EXPECT_THAT(files_of(box.path("a/b")), testing::ElementsAre("charts/web", "model.yaml", "seen-by-second"));
    EXPECT_THAT(box.compose({"--dry-run", "bridge", "convert", "-t", "shaper", "-o", "dry"}).err,
                HasSubstr("Transformation shaper Applied"));
    EXPECT_FALSE(sys::exists(box.path("dry")));
    expect_nothing_left(box);
}

TEST(Bridge, LeavesTheOutputAloneUnlessAllWentWell) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kShop);
    box.write("key", "hush\n");
    make_transformation(box, "shaper", "echo new > /out/new\n");
    make_transformation(box, "broken", "echo half > /out/half; echo 'no such kind' >&2; exit 7\n");
    fs::create_directories(box.path("out"));
    box.write("out/old", "old\n");
    EXPECT_THAT(box.fails({"bridge", "convert", "-t", "shaper"}),
                AllOf(HasSubstr("is not empty"), HasSubstr("was not confirmed"), HasSubstr("--yes")));
    EXPECT_EQ(box.compose({"bridge", "convert", "-t", "shaper"}, "n\n").exit_code, 1);
    EXPECT_THAT(box.fails({"bridge", "convert", "-y", "-t", "shaper", "-t", "broken"}, 7),
                AllOf(HasSubstr("no such kind"), HasSubstr("the transformation broken exited with 7")));
    EXPECT_THAT(files_of(box.path("out")), testing::ElementsAre("old"));
    for (const char* folder : {".", "..", "/"})
        EXPECT_THAT(box.fails({"bridge", "convert", "-y", "-t", "shaper", "-o", folder}),
                    HasSubstr("all that is in it would be removed"));
    EXPECT_TRUE(sys::exists(box.path("compose.yaml")));
    EXPECT_THAT(box.fails({"bridge", "convert", "-t", "shaper", "--templates", "nosuch"}), HasSubstr("no such folder"));
    EXPECT_THAT(files_of(box.path("out")), testing::ElementsAre("old"));
    EXPECT_EQ(box.compose({"bridge", "convert", "-t", "shaper"}, "y\n").exit_code, 0);
    EXPECT_THAT(files_of(box.path("out")), testing::ElementsAre("new"));
    fs::remove(box.path("key"));
    EXPECT_THAT(box.fails({"bridge", "convert", "-y", "-t", "shaper"}), HasSubstr("key"));
    expect_nothing_left(box);
}

TEST(Bridge, TakesOnlyFilesFromAStranger) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kShop);
    box.write("key", "hush\n");
    box.write("secret", "of the host\n", 0600);
    make_transformation(box, "shaper", R"(
cd /out
echo good > file; chmod 4755 file; chown 12:34 file
mkdir sub; busybox ln -s ../file sub/inside
busybox ln -s /etc/passwd absolute
busybox ln -s ../../secret sub/above
busybox ln -s nothing dangling
busybox ln -s /out outer
busybox mkfifo pipe
busybox mknod device c 1 3
for i in $(seq 30); do busybox mkfifo zz$i; done
)");
    // What stood in the place of the output may be a link of somebody's, too.
    fs::create_directories(box.path("real"));
    fs::create_directory_symlink("real", box.path("out"));
    fs::create_symlink("../secret", box.path("real/old"));
    const auto result = box.compose({"bridge", "convert", "-y", "-t", "shaper"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("more are left out"));
    for (const char* name : {"absolute", "sub/above", "dangling", "outer", "pipe", "device"})
        EXPECT_THAT(result.err, HasSubstr("\"" + std::string(name) + "\" is left out"));
    EXPECT_THAT(files_of(box.path("real")), testing::ElementsAre("file", "sub/inside"));
    EXPECT_EQ(fs::read_symlink(box.path("real/sub/inside")), "../file");
    EXPECT_EQ(box.host({"stat", "-c", "%u:%g %a", box.path("real/file")}).out, "0:0 755\n");
    EXPECT_EQ(sys::read_file(box.path("secret")), "of the host\n");
    expect_nothing_left(box);
}

TEST(Bridge, CtrlCLeavesNothing) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", kShop);
    box.write("key", "hush\n");
    make_transformation(box, "shaper", "echo half > /out/half; echo working; sleep 1000\n");
    Background convert(box, {COMPOSE_BINARY, "bridge", "convert", "-t", "shaper"}, box.path("log"));
    ASSERT_TRUE(eventually(
        [&] { return sys::read_file_if_exists(box.path("log")).value_or("").find("working") != std::string::npos; }));
    convert.kill(SIGINT);
    EXPECT_FALSE(sys::exists(box.path("out")));
    EXPECT_THAT(sys::read_file(box.path("log")), HasSubstr("exited with 130"));
    expect_nothing_left(box);
}

TEST(Bridge, TransformationsAreMadeAndListed) {
    REQUIRE_ROOT();
    Sandbox box;
    make_transformation(box, "shaper:1", "true\n", "RUN busybox ln -s /etc/passwd /templates/evil");
    box.ok({"image", "tag", "shaper:1", "shaper:same"});
    const auto id = parse_json(box.ok({"image", "inspect", "shaper:1"})).at(0).at("Id").as_string();
    EXPECT_EQ(box.ok({"bridge", "transformations", "list", "-q"}), "shaper:1\n");
    EXPECT_THAT(box.ok({"bridge", "transformations", "ls"}),
                AllOf(HasSubstr("IMAGE ID"), HasSubstr("shaper    1 "), Not(HasSubstr("busybox"))));
    const auto listed = parse_json(box.ok({"bridge", "transformations", "ls", "--format", "json"})).as_array();
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_EQ(listed[0].at("Id"), json::value(id));
    EXPECT_EQ(listed[0].at("RepoTags"), (json::array{"shaper:1", "shaper:same"}));
    EXPECT_THAT(box.fails({"bridge", "transformations", "ls", "--format", "xml"}), HasSubstr("table or json"));

    const auto made = box.compose({"bridge", "transformations", "create", "--from", "shaper:1", "mine"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    EXPECT_THAT(made.err, HasSubstr("\"evil\" is left out"));
    EXPECT_THAT(files_of(box.path("mine")),
                testing::ElementsAre("Dockerfile", "templates/deep/two.tmpl", "templates/one.tmpl"));
    EXPECT_EQ(sys::read_file(box.path("mine/Dockerfile")),
              "FROM shaper:1\nLABEL com.docker.compose.bridge=transformation\nCOPY templates /templates\n");
    box.write("mine/templates/one.tmpl", "changed\n");
    box.ok({"image", "build", "-q", "-t", "mine", "mine"});
    EXPECT_EQ(box.ok({"container", "run", "--rm", "mine", "cat", "/templates/one.tmpl"}), "changed\n");
    EXPECT_THAT(box.ok({"bridge", "transformations", "ls", "-q"}), HasSubstr("mine:latest\n"));
    EXPECT_THAT(box.fails({"bridge", "transformations", "create", "--from", "shaper:1", "mine"}),
                HasSubstr("exists already"));
    EXPECT_THAT(box.fails({"bridge", "transformations", "create", "--from", "busybox", "yours"}),
                HasSubstr("must have a folder /templates"));
    EXPECT_FALSE(sys::exists(box.path("yours")));
    expect_nothing_left(box);
}

TEST(Generate, WritesAFileThatMakesTheSameAgain) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("page", "hello\n");
    box.ok({"network", "create", "back"});
    box.ok({"container",
            "run",
            "-d",
            "--name",
            "web",
            "-e",
            "GREETING=a$b",
            "-v",
            "data:/data",
            "-v",
            box.path("page") + ":/page:ro",
            "-p",
            "127.0.0.1:18090:80",
            "--network",
            "back",
            "--network-alias",
            "www",
            "--restart",
            "on-failure:2",
            "-m",
            "64m",
            "--cap-drop",
            "NET_RAW",
            "--stop-timeout",
            "0",
            "busybox",
            "sh",
            "-c",
            "echo kept > /data/file; exec sleep 1000"});
    ASSERT_TRUE(eventually([&] { return box.compose({"container", "exec", "web", "test", "-e", "/data/file"}).ok(); }));
    box.write("compose.yaml", box.ok({"alpha", "generate", "--name", "again", "--project-dir", ".", "web"}));
    const auto text = sys::read_file(box.path("compose.yaml"));
    EXPECT_THAT(text, AllOf(HasSubstr("name: again\n"), HasSubstr("GREETING: a$$b\n"), HasSubstr("source: ./page\n"),
                            HasSubstr("on-failure:2"), Not(HasSubstr("PATH")), Not(HasSubstr("shm_size"))));
    EXPECT_EQ(parse_json(box.ok({"alpha", "generate", "--format", "json", "web"})).at("services").at("web").at("image"),
              "busybox");
    EXPECT_EQ(box.ok({"-p", "again", "--project-directory", ".", "alpha", "generate", "web"}), text);
    box.ok({"container", "rm", "-f", "web"});
    box.ok({"up", "-d"});
    EXPECT_EQ(box.ok({"exec", "-T", "web", "sh", "-c", "cat /page /data/file; echo $GREETING"}), "hello\nkept\na$b\n");
    const auto again = parse_json(box.ok({"container", "inspect", "again-web-1"})).at(0);
    EXPECT_EQ(again.at("HostConfig").at("Memory"), json::value(64 << 20));
    EXPECT_EQ(again.at("HostConfig").at("CapDrop"), json::array{"NET_RAW"});
    EXPECT_EQ(box.ok({"port", "web", "80"}), "127.0.0.1:18090\n");
    EXPECT_THAT(box.ok({"exec", "-T", "web", "nslookup", "www"}), HasSubstr("Address"));
    // One that joins another's network is its neighbour in the file.
    box.ok({"container", "run", "-d", "--name", "joined", "--network", "container:again-web-1", "busybox", "sleep",
            "1000"});
    EXPECT_EQ(parse_json(box.ok({"alpha", "generate", "--format", "json", "joined", "again-web-1"}))
                  .at("services")
                  .at("joined")
                  .at("network_mode"),
              "service:web");
    box.ok({"container", "rm", "-f", "joined"});
    // Replicas of a service are one.
    box.write("compose.yaml",
              "services: {a: {image: busybox, command: sleep 1000, scale: 2, stop_grace_period: 0s}}\n");
    box.ok({"up", "-d"});
    const auto both = parse_json(box.ok({"alpha", "generate", "--format", "json", "demo-a-1", "demo-a-2"}));
    EXPECT_EQ(both.at("services").at("a").at("scale"), json::value(2));
    EXPECT_THAT(box.fails({"alpha", "generate", "nosuch"}), HasSubstr("no such container: nosuch"));
    EXPECT_THAT(box.fails({"alpha", "generate"}), HasSubstr("requires CONTAINER"));
    EXPECT_THAT(box.fails({"alpha", "generate", "--format", "xml", "demo-a-1"}), HasSubstr("yaml or json"));
    box.ok({"-p", "again", "down", "-v", "-t", "0"});
    box.ok({"down", "-t", "0"});
    EXPECT_EQ(box.ok({"volume", "ls", "-q"}), "data\n") << "it was there before";
    box.ok({"volume", "rm", "data"});
    box.ok({"network", "rm", "back"});
}

}  // namespace
}  // namespace compose::test
