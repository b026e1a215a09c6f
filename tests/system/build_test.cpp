// Images built from Dockerfiles by the real program, with real containers: what the layers hold, what the cache does.
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>

#include "support/builds.hpp"

namespace compose::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

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
    // What it is packed with shows in the content, not in the name.
    const auto made =
        box.host({"python3", "-c",
                  "import tarfile\n"
                  "for how in ['', 'gz', 'bz2', 'xz']:\n"
                  "    with tarfile.open('packed-' + how, 'w:' + how) as t: t.add('in/a', 'from-' + how)\n"});
    ASSERT_TRUE(made.ok()) << made.err;
    built(box, "FROM busybox\nADD packed-* /added/\n");
    EXPECT_EQ(in_image(box, "ls /added"), "from-\nfrom-bz2\nfrom-gz\nfrom-xz\n");
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
    box.write("key", "hidden");
    box.write(
        "compose.yaml",
        "services:\n  a:\n    build: {context: ., network: none, shm_size: 1m, secrets: [k, v], ulimits: {nofile: 5},\n"
        "      extra_hosts: [\"x:10.0.0.1\"], no_cache_filter: [one], entitlements: [network.host]}\n"
        "secrets: {k: {file: ./key}, v: {environment: HIDDEN}}\n");
    box.environment["HIDDEN"] = "a value";
    const auto bake = box.ok({"build", "--print", "--push"});
    for (const char* part : {"\"network\":\"none\"", "\"shm-size\":\"1048576\"", "\"nofile=5:5\"", "\"x\":\"10.0.0.1\"",
                             "\"no-cache-filter\":[\"one\"]", "id=k,type=file", "\"entitlements\":[\"network.host\"]"})
        EXPECT_THAT(bake, HasSubstr(part));
    EXPECT_THAT(bake, Not(HasSubstr("a value")));
}

// A linked layer is the same on another base, and is not written again.
TEST(Build, ALinkedCopyOutlivesItsBase) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("src/f", "linked\n");
    box.write("src/run", "x", 0755);
    fs::create_symlink("f", box.path("src/link"));
    const auto layers = [&] { return box.ok({"image", "inspect", "--format", "{{json .RootFS.Layers}}", "built"}); };
    const auto top = [&] {
        const auto all = layers();
        return all.substr(all.rfind("sha256:"), 71);
    };
    const std::string copy = "COPY --link --chown=5:6 src /deep/er\n";
    built(box, "FROM busybox\n" + copy);
    const auto first = top();
    box.write("src/f", "linked\n");  // another time is no change
    const auto again =
        built(box, "FROM busybox\nRUN mkdir -p /deep /else && echo kept > /deep/kept && ln -s /else /deep/er\n" + copy);
    EXPECT_EQ(count(again.err, "CACHED"), 1U) << again.err;
    EXPECT_EQ(top(), first) << "the layer is the same blob";
    EXPECT_EQ(in_image(box,
                       "sh -c 'cat /deep/kept /deep/er/f /deep/er/link; ls -A /else; stat -c \"%U %u:%g %a\" "
                       "/deep/er/run; test -L /deep/er || echo folder'"),
              "kept\nlinked\nlinked\nUNKNOWN 5:6 755\nfolder\n")
        << "the link that was there is forgotten";
    // The same file under two names of the store takes no more room.
    EXPECT_EQ(box.host({"sh", "-c", "stat -c %h " + box.state() + "/layers/*/deep/er/f | sort -u"}).out, "2\n");
    box.ok({"image", "rm", "built"});
    box.ok({"image", "build", "-q", "."});
    // Without --link the base counts.
    built(box, "FROM busybox\nCOPY src /deep/er\n");
    EXPECT_EQ(count(built(box, "FROM busybox\nRUN echo > /other\nCOPY src /deep/er\n").err, "CACHED"), 0U);
}

// What is kept in a cache is there for the next build, until it is pruned.
TEST(Build, CachesArePruned) {
    REQUIRE_ROOT();
    Sandbox box;
    const std::string file =
        "FROM busybox\nRUN --mount=type=cache,target=/c echo x >> /c/log; wc -l < /c/log > /lines\n";
    built(box, file);
    built(box, file, {"--no-cache"});
    EXPECT_EQ(in_image(box, "cat /lines"), "2\n");
    box.ok({"system", "prune", "-a", "-f", "--filter", "label=none"});
    built(box, file, {"--no-cache"});
    EXPECT_EQ(in_image(box, "cat /lines"), "3\n") << "nothing was said of builds";
    fs::create_symlink(COMPOSE_BINARY, box.path("docker"));
    const auto pruned = box.host({"env", "COMPOSE_STATE_DIR=" + box.state(), "COMPOSE_RUN_DIR=" + box.run_dir(),
                                  box.path("docker"), "builder", "prune", "-f"});
    EXPECT_EQ(pruned.exit_code, 0) << pruned.err;
    built(box, file, {"--no-cache"});
    EXPECT_EQ(in_image(box, "cat /lines"), "1\n");
}

}  // namespace
}  // namespace compose::test
