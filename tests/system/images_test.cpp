// Images against real programs: Debian's registry, skopeo, umoci, runc.
#include <signal.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>

#include "base/digest.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "support/background.hpp"

namespace compose::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// A tar with busybox and what else is asked for, as an image of `name`.
void import_box(const Sandbox& box, const std::string& name) {
    box.ok({"image", "tag", "busybox", name});
}

std::string digest_of(const Sandbox& box, const std::string& repository) {
    for (const auto& line : split(box.ok({"image", "ls", "--format", "json"}), '\n')) {
        if (line.empty()) continue;
        const auto value = parse_json(line);
        if (string_or(value.get_object(), "Repository") == repository) return string_or(value.get_object(), "Digest");
    }
    return {};
}

std::size_t files_in(const std::string& folder) {
    std::error_code error;
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error))
        if (!entry.path().filename().string().starts_with('.')) ++count;
    return count;
}

TEST(Images, PushPullAndRunThroughARegistry) {
    REQUIRE_ROOT();
    Sandbox box;
    const TestRegistry registry(box);
    const auto name = registry.name("team/box:1");
    import_box(box, name);
    EXPECT_THAT(box.ok({"image", "push", name}), HasSubstr("digest: sha256:"));
    // Others read it.
    const auto inspected = box.host({"skopeo", "inspect", "--tls-verify=false", "docker://" + name});
    ASSERT_TRUE(inspected.ok()) << inspected.err;
    // From nothing: up pulls it.
    box.ok({"image", "rm", name, "busybox"});
    EXPECT_EQ(files_in(box.state() + "/layers"), 0U);
    EXPECT_EQ(files_in(box.state() + "/blobs/sha256"), 0U);
    box.write("compose.yaml", "services: {web: {image: \"" + name + "\", command: sleep 1000}}\n");
    const auto up = box.compose({"up", "-d"});
    ASSERT_EQ(up.exit_code, 0) << up.err;
    EXPECT_THAT(up.err, AllOf(HasSubstr("Pulling"), HasSubstr("Pulled"), HasSubstr("Pull complete")));
    EXPECT_EQ(box.ok({"exec", "-T", "web", "cat", "/var/data/seed"}), "from the image\n");
    EXPECT_THAT(inspected.out, HasSubstr(digest_of(box, registry.name("team/box"))));
    EXPECT_THAT(box.ok({"images"}), AllOf(HasSubstr("demo-web-1"), HasSubstr(registry.name("team/box"))));
    EXPECT_THAT(box.compose({"up", "-d"}).err, Not(HasSubstr("Pulling")));
    // What is used is not removed.
    box.fails({"image", "rm", name});
    EXPECT_THAT(box.ok({"image", "prune", "-af"}), Not(HasSubstr("deleted")));
}

TEST(Images, ANewImageUnderTheNameRecreatesTheContainer) {
    REQUIRE_ROOT();
    Sandbox box;
    const TestRegistry registry(box);
    const auto name = registry.name("app:latest");
    import_box(box, name);
    box.ok({"image", "push", name});
    box.write("compose.yaml", "services: {web: {image: \"" + name + "\", command: sleep 1000, pull_policy: always}}\n");
    box.ok({"up", "-d"});
    const auto first = box.field("demo-web-1", "ID");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-web-1", "ID"), first);
    // Someone else pushes another one.
    std::filesystem::create_directories(box.path("rootfs/bin"));
    std::filesystem::copy_file("/bin/busybox", box.path("rootfs/bin/sleep"));
    const auto tar = box.host({"tar", "-C", box.path("rootfs"), "-cf", box.path("other.tar"), "."});
    ASSERT_TRUE(tar.ok());
    box.ok({"image", "import", box.path("other.tar"), registry.name("other:1")});
    box.ok({"image", "push", registry.name("other:1")});
    const auto copied = box.host({"skopeo", "copy", "--src-tls-verify=false", "--dest-tls-verify=false",
                                  "docker://" + registry.name("other:1"), "docker://" + name});
    ASSERT_TRUE(copied.ok()) << copied.err;
    box.ok({"up", "-d", "-t", "0", "--pull", "missing"});
    EXPECT_EQ(box.field("demo-web-1", "ID"), first);
    const auto refresh_after = [&](const std::string& time) {
        box.write("compose.yaml", "services: {web: {image: \"" + name +
                                      "\", command: sleep 1000, pull_policy: refresh, pull_refresh_after: " + time +
                                      "}}\n");
        box.ok({"up", "-d", "-t", "0"});
    };
    refresh_after("1h");
    EXPECT_EQ(box.field("demo-web-1", "ID"), first) << "asked for a moment ago";
    refresh_after("1s");
    EXPECT_TRUE(eventually([&] {
        refresh_after("1s");
        return box.field("demo-web-1", "ID") != first;
    }));
    box.ok({"up", "-d", "-t", "0", "--pull", "never"});
}

TEST(Images, PullOfAProject) {
    REQUIRE_ROOT();
    Sandbox box;
    const TestRegistry registry(box);
    import_box(box, registry.name("a:1"));
    box.ok({"image", "push", registry.name("a:1")});
    box.ok({"image", "rm", registry.name("a:1")});
    box.write("compose.yaml", "services:\n  a: {image: \"" + registry.name("a:1") + "\", command: x}\n  b: {image: \"" +
                                  registry.name("nosuch:1") + "\"}\n  c: {image: \"" + registry.name("a:1") +
                                  "\", command: x}\n");
    const auto error = box.fails({"pull"});
    EXPECT_THAT(error, AllOf(HasSubstr("compose.yaml:3:14: error: services.b.image"), HasSubstr("has no ")));
    EXPECT_THAT(box.ok({"image", "ls"}), HasSubstr(registry.name("a")));
    box.ok({"pull", "--ignore-pull-failures"});
    box.ok({"pull", "a", "--quiet"});
    EXPECT_THAT(box.fails({"up", "-d", "--pull", "never"}), HasSubstr("is not here"));
    EXPECT_THAT(box.fails({"pull", "nosuch"}), HasSubstr("no such service"));
    EXPECT_THAT(box.compose({"--dry-run", "up", "a"}).err, Not(HasSubstr("Pulling")));
    EXPECT_THAT(box.fails({"--dry-run", "up"}),
                AllOf(HasSubstr("compose.yaml:3:14: error: services.b.image"), Not(HasSubstr("Creating"))));
}

TEST(Images, TlsNeedsACertificateThatIsTrusted) {
    REQUIRE_ROOT();
    Sandbox box;
    const TestRegistry registry(box, {.tls = true});
    const auto name = registry.name("box:1");
    import_box(box, name);
    EXPECT_THAT(box.fails({"image", "push", name}), HasSubstr("is not trusted"));
    box.environment["COMPOSE_INSECURE_REGISTRIES"] = registry.host();
    box.ok({"image", "push", name});
    box.environment.erase("COMPOSE_INSECURE_REGISTRIES");
    box.ok({"image", "rm", name});
    EXPECT_THAT(box.fails({"image", "pull", name}), HasSubstr("is not trusted"));
    box.environment["SSL_CERT_FILE"] = registry.ca();
    EXPECT_THAT(box.ok({"image", "pull", name}), HasSubstr("Digest: sha256:"));
}

TEST(Images, LoginPullAndLogout) {
    REQUIRE_ROOT();
    Sandbox box;
    const TestRegistry registry(box, {.user = "ann", .password = "s3cret:x"});
    const auto name = registry.name("private/box:1");
    import_box(box, name);
    EXPECT_THAT(box.fails({"image", "push", name}), HasSubstr("compose login " + registry.host()));
    EXPECT_THAT(box.fails({"login", "-u", "ann", "--password-stdin", registry.host()}), HasSubstr("name and"));
    const auto wrong = box.compose({"login", "-u", "ann", "--password-stdin", registry.host()}, "nonsense\n");
    EXPECT_EQ(wrong.exit_code, 1);
    EXPECT_THAT(wrong.err, HasSubstr("does not accept this name and password"));
    const auto good = box.compose({"login", "-u", "ann", "--password-stdin", registry.host()}, "s3cret:x\n");
    EXPECT_EQ(good.exit_code, 0) << good.err;
    EXPECT_THAT(good.out, HasSubstr("Login Succeeded"));
    box.ok({"image", "push", name});
    box.ok({"image", "rm", name});
    box.ok({"image", "pull", "-q", name});
    box.ok({"logout", registry.host()});
    EXPECT_THAT(box.fails({"image", "pull", name}), HasSubstr("denies access"));
}

TEST(Images, CredentialHelpers) {
    REQUIRE_ROOT();
    Sandbox box;
    const TestRegistry registry(box, {.user = "ann", .password = "pw"});
    box.write("bin/docker-credential-test",
              "#!/bin/sh\nread server\ncase $1 in get) echo "
              "\"{\\\"ServerURL\\\":\\\"$server\\\",\\\"Username\\\":\\\"ann\\\","
              "\\\"Secret\\\":\\\"pw\\\"}\";; esac\n",
              0755);
    box.write("bin/docker-credential-broken", "#!/bin/sh\necho 'the vault is sealed'\nexit 1\n", 0755);
    box.environment["PATH"] = box.path("bin") + ":" + box.environment["PATH"];
    box.environment["DOCKER_CONFIG"] = box.path("docker");
    box.write("docker/config.json", "{\"credHelpers\": {\"" + registry.host() + "\": \"test\"}}\n");
    const auto name = registry.name("box:1");
    import_box(box, name);
    box.ok({"image", "push", name});
    // A helper that fails is an error, not a reason to go without a name.
    box.write("docker/config.json", "{\"credsStore\": \"broken\"}\n");
    EXPECT_THAT(box.fails({"image", "push", name}), HasSubstr("the vault is sealed"));
}

TEST(Images, SaveAndLoadGiveTheSameBytes) {
    REQUIRE_ROOT();
    Sandbox box;
    const TestRegistry registry(box);
    const auto name = registry.name("box:1");
    import_box(box, name);
    box.ok({"image", "push", name});
    box.ok({"image", "rm", name, "busybox"});
    box.ok({"image", "pull", name});
    const auto digest = digest_of(box, registry.name("box"));
    box.ok({"image", "save", "-o", box.path("one.tar"), name});
    box.ok({"image", "rm", name});
    EXPECT_THAT(box.ok({"image", "load", "-i", box.path("one.tar")}), HasSubstr("Loaded image: " + name));
    box.ok({"image", "save", "-o", box.path("two.tar"), name});
    EXPECT_TRUE(box.host({"cmp", box.path("one.tar"), box.path("two.tar")}).ok());
    // And a push gives the manifest that it came with.
    EXPECT_THAT(box.ok({"image", "push", name}), HasSubstr(digest));
}

TEST(Images, OthersReadWhatIsSaved) {
    REQUIRE_ROOT();
    Sandbox box;
    box.ok({"image", "save", "-o", box.path("box.tar"), "busybox"});
    for (const std::string kind : {"oci-archive:", "docker-archive:"}) {
        const auto layout = box.path("layout-" + kind.substr(0, 3));
        const auto copied = box.host({"skopeo", "copy", kind + box.path("box.tar"), "oci:" + layout + ":latest"});
        ASSERT_TRUE(copied.ok()) << kind << copied.err;
    }
    const auto bundle = box.path("bundle");
    const auto unpacked = box.host({"umoci", "unpack", "--image", box.path("layout-oci") + ":latest", bundle});
    ASSERT_TRUE(unpacked.ok()) << unpacked.err;
    EXPECT_TRUE(box.host({"grep", "-q", "from the image", bundle + "/rootfs/var/data/seed"}).ok());
    EXPECT_EQ(box.host({"stat", "-c", "%u:%g", bundle + "/rootfs/var/data"}).out, "1000:1000\n");
    // runc runs it. The machine's control groups are none of its business here.
    const auto edited = box.host({"sh", "-c",
                                  "jq '.process.args=[\"/bin/cat\",\"/var/data/seed\"] | .process.terminal=false |"
                                  " del(.linux.resources) | .linux.namespaces |= map(select(.type != \"cgroup\")) |"
                                  " .mounts |= map(select(.type != \"cgroup\"))'"
                                  " \"$1/config.json\" > \"$1/new\" && mv \"$1/new\" \"$1/config.json\"",
                                  "sh", bundle});
    ASSERT_TRUE(edited.ok()) << edited.err;
    const auto run = box.host({"runc", "--root", box.path("runc"), "run", "-b", bundle, "compose-runc"});
    EXPECT_EQ(run.out, "from the image\n") << run.err;
}

TEST(Images, LoadReadsWhatOthersWrite) {
    REQUIRE_ROOT();
    Sandbox box;
    box.ok({"image", "save", "-o", box.path("box.tar"), "busybox"});
    const auto source = "oci-archive:" + box.path("box.tar");
    const auto make = [&](const std::string& target) {
        const auto done = box.host({"skopeo", "copy", source, target});
        EXPECT_TRUE(done.ok()) << target << done.err;
    };
    make("docker-archive:" + box.path("old.tar") + ":old/box:1");
    make("oci-archive:" + box.path("oci.tar") + ":oci/box:1");
    make("oci:" + box.path("layout") + ":folder/box:1");
    ASSERT_TRUE(box.host({"gzip", "-k", box.path("oci.tar")}).ok());
    EXPECT_THAT(box.ok({"image", "load", "-i", box.path("old.tar")}), HasSubstr("Loaded image: old/box:1"));
    EXPECT_THAT(box.ok({"image", "load", "-i", box.path("oci.tar")}), HasSubstr("Loaded image: oci/box:1"));
    EXPECT_THAT(box.ok({"image", "load", "-i", box.path("layout")}), HasSubstr("Loaded image: folder/box:1"));
    box.ok({"image", "rm", "oci/box:1"});
    EXPECT_THAT(box.ok({"image", "load", "-i", box.path("oci.tar.gz")}), HasSubstr("Loaded image: oci/box:1"));
    box.write("compose.yaml", "services: {web: {image: \"old/box:1\", command: cat /var/data/seed}}\n");
    EXPECT_THAT(box.compose({"up"}).out, HasSubstr("from the image"));
}

TEST(Images, HistoryInspectTagAndPrune) {
    REQUIRE_ROOT();
    Sandbox box;
    box.ok({"image", "tag", "busybox", "other/name:2"});
    EXPECT_THAT(box.ok({"image", "history", "other/name:2"}), HasSubstr("CREATED BY"));
    const auto inspected = parse_json(box.ok({"image", "inspect", "busybox"}));
    const auto& object = inspected.as_array().at(0).as_object();
    EXPECT_EQ(object.at("RepoTags").as_array().size(), 2U);
    EXPECT_EQ(object.at("Os").as_string(), "linux");
    EXPECT_THAT(box.fails({"image", "inspect", "nosuch"}), HasSubstr("no such image"));
    box.ok({"image", "rm", "busybox"});
    EXPECT_THAT(box.ok({"image", "prune", "-f"}), HasSubstr("Total reclaimed space: 0B"));
    EXPECT_THAT(box.ok({"image", "prune", "-af"}), HasSubstr("untagged: other/name:2"));
    EXPECT_EQ(files_in(box.state() + "/layers"), 0U);
}

TEST(Images, SeveralPullsOfOneImageFetchItOnce) {
    REQUIRE_ROOT();
    Sandbox box;
    box.environment["COMPOSE_HTTP_TIMEOUT"] = "20";
    const HostileRegistry registry(box);
    const auto name = registry.name("slow");
    std::vector<std::jthread> pulls;
    std::atomic<int> good{0};
    for (int i = 0; i < 6; ++i)
        pulls.emplace_back([&] {
            if (box.compose({"image", "pull", "-q", name}).exit_code == 0) ++good;
        });
    // Meanwhile others clean up: nothing of a pull may go.
    for (int i = 0; i < 10; ++i) EXPECT_EQ(box.compose({"image", "prune", "-f"}).exit_code, 0);
    pulls.clear();
    EXPECT_EQ(good, 6);
    std::size_t layers = 0;
    for (const auto& line : registry.requests()) {
        const auto value = parse_json(line);
        if (string_or(value.get_object(), "path").find("/blobs/") != std::string::npos) ++layers;
    }
    // Six configs, and the layer once (or twice, if a prune came between two of the pulls).
    EXPECT_LE(layers, 6U + 2U);
    EXPECT_EQ(files_in(box.state() + "/blobs/partial"), 0U);
}

TEST(Images, ABuiltImageIsTheSameEverywhere) {
    REQUIRE_ROOT();
    Sandbox box;
    const TestRegistry registry(box);
    // A base that came from a registry, so that every layer's bytes can be had again.
    const auto base = registry.name("base:1");
    import_box(box, base);
    box.ok({"image", "push", base});
    box.ok({"image", "rm", base, "busybox"});
    const auto name = registry.name("app:1");
    box.write("app/Dockerfile", "FROM " + base +
                                    "\nRUN echo built > /made && chmod 4755 /made\nCOPY file /copied\n"
                                    "CMD [\"cat\", \"/made\"]\n");
    box.write("app/file", "copied\n");
    box.write("compose.yaml", "services: {app: {image: \"" + name + "\", build: ./app}}\n");
    box.ok({"build"});
    box.ok({"push"});
    const auto id_of = [&] {
        const auto value = parse_json(box.ok({"image", "inspect", name}));
        return string_or(value.as_array().at(0).as_object(), "Id");
    };
    const auto built = id_of();
    const auto raw = box.host({"skopeo", "inspect", "--raw", "--tls-verify=false", "docker://" + name});
    ASSERT_TRUE(raw.ok()) << raw.err;
    EXPECT_THAT(raw.out, HasSubstr(built));
    EXPECT_THAT(box.compose({"image", "push", name}).err, HasSubstr("Layer already exists"));
    box.ok({"image", "rm", name});
    box.ok({"image", "pull", name});
    EXPECT_EQ(id_of(), built);
    EXPECT_THAT(box.compose({"up", "--no-build"}).out, HasSubstr("built"));
}

TEST(Images, BootstrapRunsMmdebstrap) {
    REQUIRE_ROOT();
    Sandbox box;
    // There is no network here: a stand-in that takes the same arguments and writes the same kind of file.
    box.write("bin/mmdebstrap",
              "#!/bin/sh\necho \"$@\" > " + box.path("arguments") +
                  "\nfor a; do case $a in *.tar) target=$a;; esac; done\n"
                  "mkdir -p " +
                  box.path("base/bin") + " && cp /bin/busybox " + box.path("base/bin/bash") + " && exec tar -C " +
                  box.path("base") + " -cf \"$target\" .\n",
              0755);
    box.environment["PATH"] = box.path("bin") + ":" + box.environment["PATH"];
    EXPECT_THAT(box.ok({"image", "bootstrap", "debian:bookworm-slim", "--include", "curl,jq"}), HasSubstr("sha256:"));
    const auto arguments = box.host({"cat", box.path("arguments")}).out;
    EXPECT_THAT(arguments, AllOf(HasSubstr("--variant=minbase"), HasSubstr("--include=curl,jq"),
                                 HasSubstr(" bookworm "), HasSubstr("path-exclude=/usr/share/man/*")));
    EXPECT_THAT(box.ok({"image", "ls", "debian"}), HasSubstr("bookworm-slim"));
    EXPECT_EQ(files_in(box.state() + "/blobs/partial"), 0U);
    EXPECT_THAT(box.fails({"image", "bootstrap", "debian:bookworm", "--include", "--option"}),
                HasSubstr("no name of a package"));
    EXPECT_THAT(box.fails({"image", "bootstrap", "alpine:3"}), HasSubstr("only debian:SUITE and ubuntu:SUITE"));
    box.write("bin/mmdebstrap", "#!/bin/sh\necho E: no such suite; exit 25\n", 0755);
    EXPECT_THAT(box.fails({"image", "bootstrap", "debian:nosuch"}), HasSubstr("E: no such suite"));
}

}  // namespace
}  // namespace compose::test
