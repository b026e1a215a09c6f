// Images built from Dockerfiles by the real program, with real containers: what the layers hold, what the cache does,
// what hostile files can't do, and that a killed build leaves nothing behind.
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>

#include "support/sandbox.hpp"
#include "sys/file.hpp"

namespace compose::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

/// Builds the Dockerfile in the folder under the name "built".
Result build(const Sandbox& box, const std::string& dockerfile, std::vector<std::string> more = {}) {
    box.write("Dockerfile", dockerfile);
    std::vector<std::string> arguments{"image", "build", "-t", "built", "--progress", "plain"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    arguments.emplace_back(".");
    return box.compose(arguments);
}

Result built(const Sandbox& box, const std::string& dockerfile, std::vector<std::string> more = {}) {
    auto result = build(box, dockerfile, std::move(more));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result;
}

/// What a shell in the image prints.
std::string in_image(const Sandbox& box, const std::string& script) {
    const auto out = box.path("view");
    const auto exported = box.compose({"image", "build", "-q", "-o", "type=local,dest=" + out, "-f", "-", "."},
                                      "FROM built\nUSER 0\nRUN " + script + " > /out\n");
    EXPECT_EQ(exported.exit_code, 0) << exported.err;
    auto text = sys::read_file(out + "/out");
    fs::remove_all(out);
    return text;
}

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t n = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
    return n;
}

TEST(Build, AComposeFileIsBuiltAndRuns) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("Dockerfile",
              "FROM busybox\nARG who=nobody\nCOPY greeting /etc/greeting\nRUN echo \"$(cat /etc/greeting) $who\" > "
              "/greeting\nCMD [\"sleep\", \"1000\"]\n");
    box.write("greeting", "hello");
    box.write("compose.yaml", "services:\n  web:\n    build: {context: ., args: {who: world}}\n");
    const auto up = box.compose({"up", "-d", "--build"});
    ASSERT_EQ(up.exit_code, 0) << up.err;
    EXPECT_NE(box.pid_of("demo-web-1"), 0);
    EXPECT_EQ(box.ok({"exec", "-T", "web", "cat", "/greeting"}), "hello world\n");
    const auto id = box.field("demo-web-1", "ID");
    box.ok({"up", "-d", "--build"});
    EXPECT_EQ(box.field("demo-web-1", "ID"), id) << "nothing has changed, so nothing is recreated";
    box.write("greeting", "bye");
    box.ok({"up", "-d", "--build"});
    EXPECT_NE(box.field("demo-web-1", "ID"), id);
    EXPECT_EQ(box.ok({"exec", "-T", "web", "cat", "/greeting"}), "bye world\n");
}

TEST(Build, StagesCopyFromEachOtherAndOnlyNeededOnesAreBuilt) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto result =
        built(box,
              "FROM busybox AS one\nRUN mkdir /d && echo 1 > /d/f && chmod 750 /d/f && chown 1000:1000 /d/f\n"
              "FROM busybox AS never\nRUN false\n"
              "FROM busybox\nCOPY --from=one /d /copied\nCOPY --from=one --chown=5:6 --chmod=600 /d/f /owned\n");
    EXPECT_THAT(result.err, Not(HasSubstr("never")));
    EXPECT_EQ(in_image(box, "stat -c '%a %u:%g' /copied/f /owned"), "750 1000:1000\n600 5:6\n");
    EXPECT_EQ(build(box, "FROM busybox AS a\nFROM busybox AS b\nRUN false\n", {"--target", "a"}).exit_code, 0);
}

TEST(Build, ARemovedFileIsRemovedAndNothingOfTheMountsStays) {
    REQUIRE_ROOT();
    Sandbox box;
    built(box,
          "FROM busybox\nRUN mkdir /d && echo x > /d/f && echo y > /d/g\nRUN rm /d/f && echo z > /d/h\nRUN "
          "--mount=type=tmpfs,target=/deep/er/t touch /deep/er/t/x\nRUN true\n");
    EXPECT_EQ(in_image(box, "sh -c 'ls /d; test -e /deep || echo none'"), "g\nh\nnone\n");
    EXPECT_THAT(box.ok({"image", "history", "built"}), HasSubstr("RUN"));
}

// The cache, table-driven: a change, and how many of the three steps are found again.
struct CacheCase {
    const char* name;
    void (*change)(const Sandbox&);
    std::vector<std::string> arguments;
    std::size_t cached;
};
constexpr const char* kCached = "FROM busybox\nCOPY a /a\nARG V=1\nRUN cat /a > /b\nCOPY b /c\n";

class BuildCache : public testing::TestWithParam<CacheCase> {};
TEST_P(BuildCache, FindsWhatHasNotChanged) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("a", "a");
    box.write("b", "b");
    built(box, kCached);
    GetParam().change(box);
    const auto again = built(box, kCached, GetParam().arguments);
    EXPECT_EQ(count(again.err, "CACHED"), GetParam().cached) << again.err;
}
INSTANTIATE_TEST_SUITE_P(
    All, BuildCache,
    testing::Values(CacheCase{"nothing", [](const Sandbox&) {}, {}, 3},
                    CacheCase{"times", [](const Sandbox& box) { box.write("a", "a"); }, {}, 3},
                    CacheCase{"content", [](const Sandbox& box) { box.write("a", "A"); }, {}, 0},
                    CacheCase{"mode", [](const Sandbox& box) { ::chmod(box.path("b").c_str(), 0755); }, {}, 2},
                    CacheCase{"another file", [](const Sandbox& box) { box.write("new", "x"); }, {}, 3},
                    CacheCase{"argument", [](const Sandbox&) {}, {"--build-arg", "V=2"}, 1},
                    CacheCase{"proxy", [](const Sandbox&) {}, {"--build-arg", "HTTP_PROXY=x"}, 3},
                    CacheCase{"label", [](const Sandbox&) {}, {"--label", "x=y"}, 3},
                    CacheCase{"no cache", [](const Sandbox&) {}, {"--no-cache"}, 0}),
    [](const auto& test) {
        auto name = std::string(test.param.name);
        std::replace(name.begin(), name.end(), ' ', '_');
        return name;
    });

TEST(Build, TheSameBuildIsTheSameImage) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("a", "a");
    box.write("b", "b");
    built(box, kCached);
    const auto first = box.ok({"image", "build", "-q", "."});
    EXPECT_EQ(box.ok({"image", "build", "-q", "."}), first);
}

TEST(Build, MountsGiveWhatTheySayAndKeepNothing) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("src/file", "context");
    box.write("key", "s3cret");
    const std::string dockerfile =
        "FROM busybox AS tool\nRUN echo tool > /tool\nFROM busybox\n"
        "RUN --mount=type=bind,source=src,target=/m,rw --mount=type=bind,from=tool,source=/tool,target=/t "
        "cat /m/file /t > /bind && echo changed > /m/file\n"
        "RUN --mount=type=cache,target=/cache echo x >> /cache/log && wc -l < /cache/log > /lines\n"
        "RUN --mount=type=secret,id=k --mount=type=secret,id=k,env=KEY,target=/x wc -c < /run/secrets/k > /secret && "
        "test ${#KEY} = 6\n"
        "RUN --network=none test ! -e /run/secrets/k && ls /sys/class/net > /net\n";
    built(box, dockerfile, {"--secret", "id=k,src=" + box.path("key")});
    EXPECT_EQ(in_image(box, "cat /bind /lines /secret /net"), "contexttool\n1\n6\nlo\n");
    EXPECT_EQ(sys::read_file(box.path("src/file")), "context") << "K66: writes stay in the step";
    built(box, dockerfile + "RUN true\n", {"--no-cache", "--secret", "id=k,src=" + box.path("key")});
    EXPECT_EQ(in_image(box, "cat /lines"), "2\n") << "a cache outlives its build";
    const auto grep = box.host({"grep", "-rl", "s3cret", box.state()});
    EXPECT_EQ(grep.out, "") << "the secret lies nowhere in the state";
    EXPECT_THAT(build(box, "FROM busybox\nRUN --mount=type=secret,id=none,required=true true\n").err,
                HasSubstr("the secret \"none\" was not given"));
}

TEST(Build, HeredocsWorkdirsUsersAndOnbuild) {
    REQUIRE_ROOT();
    Sandbox box;
    built(box,
          "FROM busybox\nUSER 1000\nWORKDIR /w/deep\nRUN <<EOF\nid -u > who\npwd >> who\nEOF\nCOPY <<one <<\"two\" "
          "/files/\n$PATH\none\n$PATH\ntwo\n"
          "ENV V=1\nONBUILD RUN echo triggered > /tmp/onbuild\n");
    EXPECT_EQ(in_image(box, "sh -c 'cat /w/deep/who /files/two /tmp/onbuild; stat -c %u /w/deep'"),
              "1000\n/w/deep\n$PATH\ntriggered\n1000\n");
}

TEST(Build, ErrorsShowThePlaceTheCodeAndTheOutput) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto failed = build(box, "FROM busybox\nRUN true && \\\n    echo some output && exit 7\n");
    EXPECT_EQ(failed.exit_code, 1);
    EXPECT_THAT(failed.err, HasSubstr("Dockerfile:2:1: error: "));
    EXPECT_THAT(failed.err, HasSubstr("ended with exit code 7"));
    EXPECT_THAT(failed.err, HasSubstr(" > some output"));
    EXPECT_THAT(failed.err, HasSubstr("RUN true && \\"));
    EXPECT_THAT(build(box, "FROM busybox\nCOPY missing /x\n").err,
                HasSubstr("Dockerfile:2:1: error: \"missing\" is not there"));
    EXPECT_THAT(build(box, "FROM busybox\nRUNN x\n").err, HasSubstr("did you mean RUN?"));
    EXPECT_THAT(build(box, "FROM busybox\nRUN [\"nosuch\"]\n").err, HasSubstr("could not be started"));
    EXPECT_EQ(box.ok({"image", "ls", "-q"}).size(), std::string("0123456789ab\n").size()) << "nothing half an image";
}

TEST(Build, CheckFindsMistakesAndBuildsNothing) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto result = build(box, "FROM busybox\nCMD sleep 1\n", {"--check"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("JSONArgsRecommended"));
    EXPECT_EQ(build(box, "FROM busybox\nCMD [\"sleep\", \"1\"]\n", {"--check"}).exit_code, 0);
}

TEST(Build, ArchivesAreUnpackedByAddAndNotByCopy) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("in/a", "a");
    ASSERT_TRUE(box.host({"tar", "-czf", box.path("x.tgz"), "-C", box.path("in"), "."}).ok());
    built(box, "FROM busybox\nADD x.tgz /added/\nCOPY x.tgz /copied/\nADD --unpack=false x.tgz /kept/\n");
    EXPECT_EQ(in_image(box, "ls /added /copied /kept"), "/added:\na\n\n/copied:\nx.tgz\n\n/kept:\nx.tgz\n");
}

// D08: an archive of the context that climbs out of where it is added.
TEST(BuildHostile, AnArchiveThatClimbsWritesNothingOutside) {
    REQUIRE_ROOT();
    Sandbox box;
    ASSERT_TRUE(
        box.host({"sh", "-c",
                  "cd " + box.folder() +
                      " && mkdir d && echo x > d/evil && tar -cPf slip.tar --transform 's,^d/,../../../,' d/evil"})
            .ok());
    EXPECT_NE(build(box, "FROM busybox\nADD slip.tar /x/\n").exit_code, 0);
    EXPECT_FALSE(fs::exists(box.state() + "/evil"));
}

// K30, K63, K65, D14: links of the image and of the context, in every place where a step names a path.
TEST(BuildHostile, LinksNeverReachTheHost) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto canary = box.path("../canary");
    fs::create_directories(canary);
    const auto target = fs::canonical(canary).string();
    box.write("f", "x");
    fs::create_symlink(target, box.path("out"));
    built(box, "FROM busybox\nRUN mkdir -p " + target + " && ln -s " + target + " /w && ln -s ../../../../../.." +
                   target + " /up\nWORKDIR /w/x\nCOPY f /w/copied\nCOPY f /up/copied\n");
    EXPECT_EQ(std::distance(fs::directory_iterator(canary), {}), 0);
    EXPECT_NE(build(box, "FROM busybox\nCOPY out/ /x/\n").exit_code, 0);
    EXPECT_NE(build(box, "FROM busybox\nRUN --mount=source=out,target=/x true\n").exit_code, 0);
    EXPECT_NE(
        build(box, "FROM busybox\nRUN ln -s / /host\nRUN --mount=type=cache,target=/x,source=../../.. ls /x/state.db\n")
            .exit_code,
        0);
    // K58: a folder of a shared cache that is a link by now.
    built(box, "FROM busybox\nRUN --mount=type=cache,id=c,target=/c ln -s / /c/evil\n");
    built(box, "FROM busybox\nRUN --mount=type=cache,id=c,target=/x,source=evil test -L /x/evil\n");
    fs::remove_all(canary);
}

// K59: a step replaces the parent of a mount's target by a link.
TEST(BuildHostile, CleaningUpMountTargetsFollowsNoLink) {
    REQUIRE_ROOT();
    Sandbox box;
    fs::create_directories(box.path("../victim/sub"));
    const auto victim = fs::canonical(box.path("../victim")).string();
    built(box, "FROM busybox\nRUN --mount=type=tmpfs,target=/p/sub cd / && umount /p/sub; mv /p /q; ln -s " + victim +
                   " /p; true\n");
    EXPECT_TRUE(fs::exists(victim + "/sub"));
    fs::remove_all(victim);
}

// K60, K62: what a Dockerfile may not ask for.
TEST(BuildHostile, NoStepIsMorePrivilegedThanWasAllowed) {
    REQUIRE_ROOT();
    Sandbox box;
    EXPECT_THAT(build(box, "FROM busybox\nRUN --security=insecure true\n").err,
                HasSubstr("--security=insecure is not allowed"));
    EXPECT_NE(build(box, "FROM busybox\nRUN --security=unknown true\n").exit_code, 0);
    built(box, "# syntax=evil/frontend\nFROM busybox\nRUN cat /proc/self/status > /status\n");
    const auto status = in_image(box, "cat /status");
    EXPECT_THAT(status, HasSubstr("Seccomp:\t2"));
    EXPECT_THAT(status, HasSubstr("CapEff:\t00000000a80425fb"));
}

// K67: a .dockerignore that is a link to something of the host is not read.
TEST(BuildHostile, TheIgnoreFileIsOneOfTheContext) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("f", "x");
    fs::create_symlink("/etc/passwd", box.path(".dockerignore"));
    built(box, "FROM busybox\nCOPY f /f\n");
}

// K68: credentials of an address appear nowhere.
TEST(BuildHostile, CredentialsOfAddressesAreNotShown) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto result = build(box, "FROM busybox\nADD https://user:hunter2@127.0.0.1:1/x /x\n");
    EXPECT_NE(result.exit_code, 0);
    EXPECT_THAT(result.err, Not(HasSubstr("hunter2")));
    EXPECT_THAT(build(box, "FROM busybox\nADD http://169.254.169.254/latest /x\n").err, HasSubstr("local link"));
    EXPECT_NE(build(box, "FROM busybox\nADD file:///etc/passwd /x\n").exit_code, 0);
}

// K56: a folder of a repository that is a link to somewhere else.
TEST(BuildHostile, ALinkInARepositoryIsNoContext) {
    REQUIRE_ROOT();
    Sandbox box;
    if (!box.host({"git", "--version"}).ok()) GTEST_SKIP() << "git is not installed";
    box.write("compose.yaml", "services: {}\n");
    EXPECT_THAT(box.compose({"image", "build", "https://127.0.0.1:1/x.git#main:../x"}).err,
                HasSubstr("leads out of the repository"));
    EXPECT_THAT(box.compose({"image", "build", "https://127.0.0.1:1/x.git#--upload-pack=id"}).err,
                HasSubstr("can't be a branch"));
}

TEST(Build, AKilledBuildLeavesNothingThatTheNextOneDoesNotRemove) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("a", "a");
    for (const auto delay : {20, 60, 120, 250, 400}) {
        box.write("Dockerfile",
                  "FROM busybox\nCOPY a /a\nRUN echo " + std::to_string(delay) + " > /b; sleep 0.2\nRUN sleep 30\n");
        // The shell takes the program with it by its own group; SIGKILL can't be caught.
        const auto killed = box.host({"timeout", "-s", "KILL", std::to_string(delay / 1000.0), "env",
                                      "COMPOSE_STATE_DIR=" + box.state(), "COMPOSE_RUN_DIR=" + box.run_dir(),
                                      COMPOSE_BINARY, "image", "build", "-t", "built", box.folder()});
        EXPECT_EQ(killed.exit_code, 137);
        const auto names = box.ok({"image", "ls", "--format", "json"});
        EXPECT_THAT(names, Not(HasSubstr("built"))) << "nothing half an image";
    }
    built(box, "FROM busybox\nCOPY a /a\nRUN cat /a > /b\n");
    EXPECT_EQ(in_image(box, "cat /b"), "a");
    std::size_t left = 0;
    for (const auto& item : fs::directory_iterator(box.state() + "/build"))
        left += item.path().filename() != "cache" ? 1 : 0;
    EXPECT_EQ(left, 0U);
    EXPECT_EQ(box.host({"sh", "-c", "ip -o link | grep -c cmp"}).out, "0\n") << "bridges of dead builds are gone";
}

TEST(Build, OutputsAreFoldersTarsAndImages) {
    REQUIRE_ROOT();
    Sandbox box;
    built(box, "FROM scratch\nCOPY Dockerfile /d/f\n",
          {"-o", "type=local,dest=" + box.path("out"), "-o", "type=tar,dest=" + box.path("out.tar")});
    EXPECT_TRUE(fs::exists(box.path("out/d/f")));
    EXPECT_THAT(box.host({"tar", "-tf", box.path("out.tar")}).out, HasSubstr("d/f"));
    EXPECT_THAT(box.ok({"image", "ls"}), Not(HasSubstr("built")));
    built(box, "FROM scratch\nCOPY Dockerfile /d/f\n", {"-o", "type=oci,dest=" + box.path("oci.tar")});
    EXPECT_THAT(box.host({"tar", "-tf", box.path("oci.tar")}).out, HasSubstr("index.json"));
}

TEST(Build, ServicesBuildOnEachOther) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml",
              "services:\n  base:\n    build: {dockerfile_inline: \"FROM busybox\\nRUN echo base > /base\\n\"}\n"
              "  app:\n    build:\n      dockerfile_inline: \"FROM base\\nRUN cat /base > /app\\nCMD [\\\"sleep\\\", "
              "\\\"100\\\"]\\n\"\n"
              "      additional_contexts: {base: \"service:base\"}\n");
    box.ok({"build", "app"});
    EXPECT_THAT(box.ok({"image", "ls"}), HasSubstr("demo-app"));
    EXPECT_THAT(box.ok({"build", "--print"}), HasSubstr("\"target\""));
}

}  // namespace
}  // namespace compose::test
