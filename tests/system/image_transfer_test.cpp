// Images on their way, against Debian's registry and other people's archives: what a person types and what comes of it.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "base/json.hpp"
#include "base/strings.hpp"
#include "support/background.hpp"
#include "support/terminal.hpp"

namespace compose::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(ImageTransfer, LoginAtATerminal) {
    REQUIRE_ROOT();
    Sandbox box;
    const TestRegistry registry(box, {.user = "ann", .password = "s3cret:x"});
    box.environment["DOCKER_CONFIG"] = box.path(".docker");
    {
        Terminal login({COMPOSE_BINARY, "login", registry.host()}, box.environment, box.folder());
        ASSERT_TRUE(login.shows("Username: ")) << login.screen();
        login.type("ann\n");
        ASSERT_TRUE(login.shows("Password: ")) << login.screen();
        login.type("s3cret:xy\x7f\n");
        EXPECT_EQ(login.wait(), 0) << login.screen();
        EXPECT_THAT(login.screen(), AllOf(HasSubstr("Login Succeeded"), Not(HasSubstr("s3cret"))));
    }
    box.ok({"image", "tag", "busybox", registry.name("box:1")});
    box.ok({"image", "push", registry.name("box:1")});
    {
        // The name is known now; and a person may think better of it.
        Terminal login({COMPOSE_BINARY, "login", registry.host()}, box.environment, box.folder());
        ASSERT_TRUE(login.shows("Password: ")) << login.screen();
        EXPECT_THAT(login.screen(), Not(HasSubstr("Username")));
        login.type("\x03");
        EXPECT_EQ(login.wait(), 130) << login.screen();
    }
}

TEST(ImageTransfer, PullSaysWhatItDid) {
    REQUIRE_ROOT();
    Sandbox box;
    const TestRegistry registry(box);
    const auto repository = registry.name("team/box");
    for (const char* tag : {":1", ":2", ":latest"}) {
        box.ok({"image", "tag", "busybox", repository + tag});
        box.ok({"image", "push", "-q", repository + tag});
        box.ok({"image", "rm", repository + tag});
    }
    EXPECT_THAT(box.ok({"image", "pull", repository}),
                AllOf(HasSubstr("Digest: sha256:"), HasSubstr("Status: Downloaded newer image for " + repository),
                      HasSubstr("\n" + repository + ":latest\n")));
    EXPECT_THAT(box.ok({"image", "pull", repository}), HasSubstr("Status: Image is up to date for " + repository));
    EXPECT_EQ(box.ok({"image", "pull", "-q", repository + ":1"}), repository + ":1\n");
    // All of them.
    box.ok({"image", "pull", "--all-tags", repository});
    const auto list = box.ok({"image", "ls", "--format", "{{.Repository}}:{{.Tag}}"});
    for (const char* tag : {":1", ":2", ":latest"}) EXPECT_THAT(list, HasSubstr(repository + tag + "\n"));
    EXPECT_THAT(box.fails({"image", "pull", "--all-tags", repository + ":1"}), HasSubstr("can't be used with"));
}

TEST(ImageTransfer, WhatIsPackedOnceIsNotPackedAgain) {
    REQUIRE_ROOT();
    Sandbox box;
    const TestRegistry registry(box);
    const auto push = [&](const std::string& name) {
        box.ok({"image", "tag", "busybox", registry.name(name)});
        return box.compose({"image", "push", registry.name(name)});
    };
    const auto digest = [](const Result& result) {
        const auto at = result.out.find("sha256:");
        return at == std::string::npos ? std::string() : result.out.substr(at, 71);
    };
    // The tar that it was imported from is gone: the archive is made anew, once.
    const auto first = push("one:1");
    EXPECT_THAT(first.err, HasSubstr("Prepared"));
    const auto second = push("two:1");
    EXPECT_THAT(second.err, AllOf(HasSubstr("Pushed"), Not(HasSubstr("Prepared"))));
    EXPECT_EQ(digest(first), digest(second));
    // What is built on a pulled image goes out with the blobs that came, however those were packed.
    box.ok({"image", "save", "-o", box.path("box.tar"), "busybox"});
    const auto copied = box.host({"skopeo", "copy", "--dest-tls-verify=false", "--dest-compress-format=zstd",
                                  "oci-archive:" + box.path("box.tar"), "docker://" + registry.name("base:1")});
    ASSERT_TRUE(copied.ok()) << copied.err;
    box.ok({"image", "pull", "-q", registry.name("base:1")});
    const auto layers_of = [&](const std::string& name) {
        const auto raw =
            box.host({"skopeo", "inspect", "--raw", "--tls-verify=false", "docker://" + registry.name(name)});
        EXPECT_TRUE(raw.ok()) << raw.err;
        const auto value = parse_json(raw.out);
        std::vector<std::string> out;
        for (const auto& layer : value.at("layers").as_array()) out.push_back(string_or(layer.get_object(), "digest"));
        return out;
    };
    box.write("app/Dockerfile", "FROM " + registry.name("base:1") + "\nCOPY file /file\n");
    box.write("app/file", "content\n");
    box.ok({"image", "build", "-t", registry.name("app:1"), box.path("app")});
    box.ok({"image", "push", registry.name("app:1")});
    ASSERT_EQ(layers_of("app:1").size(), 2U);
    EXPECT_EQ(layers_of("app:1")[0], layers_of("base:1")[0]);
}

TEST(ImageTransfer, ArchivesOfEveryCompression) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto name = std::string("packed:1");
    box.ok({"image", "tag", "busybox", name});
    box.ok({"image", "save", "-o", box.path("box.tar"), name});
    const auto made = box.host({"sh", "-ec",
                                "cd $1; mkdir root; echo hello > root/file; tar -C root -cf root.tar .\n"
                                "for f in box root; do gzip -k $f.tar; zstd -qk $f.tar -o $f.tar.zst; xz -k $f.tar;"
                                " bzip2 -k $f.tar; done",
                                "sh", box.folder()});
    ASSERT_TRUE(made.ok()) << made.err;
    const auto import = [&](const std::string& file) { return box.ok({"image", "import", box.path(file), "root:1"}); };
    const auto layer = [&] {
        const auto value = parse_json(box.ok({"image", "inspect", "--format", "{{json .RootFS.Layers}}", "root:1"}));
        return std::string(value.as_array().at(0).as_string());
    };
    import("root.tar");
    const auto plain = layer();
    for (const std::string packed : {".gz", ".zst", ".xz", ".bz2"}) {
        import("root.tar" + packed);
        EXPECT_EQ(layer(), plain) << packed;
        box.ok({"image", "rm", name});
        EXPECT_THAT(box.ok({"image", "load", "-i", box.path("box.tar" + packed)}), HasSubstr("Loaded image: " + name));
        ASSERT_TRUE(box.host({"sh", "-c", "truncate -s -1000 \"$1\"", "sh", box.path("box.tar" + packed)}).ok());
        EXPECT_THAT(box.fails({"image", "load", "-i", box.path("box.tar" + packed)}), HasSubstr("too early")) << packed;
    }
}

TEST(ImageTransfer, LoadTakesTheWantedPlatform) {
    REQUIRE_ROOT();
    Sandbox box;
    // One name, two machines.
    box.ok({"image", "save", "-o", box.path("box.tar"), "busybox"});
    const auto made =
        box.host({"python3", "-c",
                  "import hashlib, json, os, sys, tarfile\n"
                  "os.chdir(sys.argv[1]); tarfile.open('box.tar').extractall('layout')\n"
                  "os.chdir('layout'); os.remove('manifest.json')\n"
                  "read = lambda d: json.load(open('blobs/sha256/' + d[7:]))\n"
                  "def write(v):\n"
                  "    t = json.dumps(v).encode(); d = hashlib.sha256(t).hexdigest()\n"
                  "    open('blobs/sha256/' + d, 'wb').write(t); return {'digest': 'sha256:' + d, 'size': len(t)}\n"
                  "index = json.load(open('index.json')); mine = index['manifests'][0]\n"
                  "manifest = read(mine['digest']); config = read(manifest['config']['digest'])\n"
                  "config['architecture'] = 's390x'; manifest['config'].update(write(config))\n"
                  "index['manifests'].insert(0, {**mine, **write(manifest),"
                  " 'platform': {'os': 'linux', 'architecture': 's390x'}})\n"
                  "json.dump(index, open('index.json', 'w'))\n",
                  box.folder()});
    ASSERT_TRUE(made.ok()) << made.err;
    const auto architecture = [&] { return box.ok({"image", "inspect", "--format", "{{.Architecture}}", "busybox"}); };
    const auto own = architecture();
    box.ok({"image", "load", "-i", box.path("layout"), "--platform", "linux/s390x"});
    EXPECT_EQ(architecture(), "s390x\n");
    box.ok({"image", "load", "-i", box.path("layout")});
    EXPECT_EQ(architecture(), own);
    EXPECT_THAT(box.fails({"image", "load", "-i", box.path("box.tar"), "--platform", "linux/riscv64"}),
                HasSubstr("not for linux/riscv64"));
}

}  // namespace
}  // namespace compose::test
