// Images that mean harm, once they are here: started, mounted, loaded. The CVE rows K34 to K36, K40 to K42 and K46 of
// the reference, M18 and T30.
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "support/background.hpp"

namespace compose::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string slurp(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

class ImageHostile : public testing::Test {
protected:
    void SetUp() override {
        REQUIRE_ROOT();
        box.emplace();
        canary = box->path("canary");
        fs::create_directories(canary);
        box->write("canary/file", "the host's\n");
    }
    void TearDown() override {
        if (!box) return;
        EXPECT_EQ(slurp(canary + "/file"), "the host's\n");
        EXPECT_EQ(std::distance(fs::directory_iterator(canary), fs::directory_iterator()), 1)
            << "something was made there";
        box.reset();
    }
    /// An image of busybox and what `script` does in its root, called $R there; $C is the canary.
    void make(const std::string& name, const std::string& script) const {
        const auto made = box->host(
            {"sh", "-ec",
             "R=$1 C=$2; rm -rf $R; mkdir -p $R/bin $R/etc; cp /bin/busybox $R/bin/; ln -s busybox $R/bin/sh\n"
             "ln -s busybox $R/bin/cat; ln -s busybox $R/bin/id; ln -s busybox $R/bin/ls\n"
             "printf 'root:x:0:0::/:/bin/sh\\nweb:x:1000:1000::/:/bin/sh\\n' > $R/etc/passwd\n"
             "printf 'root:x:0:\\nweb:x:1000:\\n' > $R/etc/group\n" +
                 script + "\ntar --sparse -C $R -cf $R.tar .",
             "sh", box->path("rootfs"), canary});
        ASSERT_TRUE(made.ok()) << name << made.err;
        box->ok({"image", "import", box->path("rootfs.tar"), name});
    }
    [[nodiscard]] Result run(const std::string& image, std::vector<std::string> command,
                             const std::vector<std::string>& options = {}) const {
        std::vector<std::string> argv{"container", "run", "--rm"};
        argv.insert(argv.end(), options.begin(), options.end());
        argv.push_back(image);
        argv.insert(argv.end(), command.begin(), command.end());
        return box->compose(argv);
    }

    std::optional<Sandbox> box;
    std::string canary;
};

TEST_F(ImageHostile, ListsOfUsersThatAreNone) {  // K35, K36
    const std::pair<const char*, const char*> cases[] = {{"fifo", "mkfifo $F"},
                                                         {"fifo-link", "mkfifo $R/f; ln -s /f $F"},
                                                         {"folder", "mkdir $F"},
                                                         {"device", "ln -s /dev/zero $F"},
                                                         {"one-gigabyte", "truncate -s 1G $F"},
                                                         {"two-gigabytes", "truncate -s 2G $F"},
                                                         {"outside", "ln -s ../../../../../..$C/file $F"}};
    for (const char* file : {"passwd", "group"})
        for (const auto& [kind, script] : cases) {
            const auto name = fmt::format("{}-{}", file, kind);
            make(name, fmt::format("F=$R/etc/{}; rm $F; {}", file, script));
            const auto begin = std::chrono::steady_clock::now();
            const auto result = run(name, {"id", "-u"}, {"--user", "web:web"});
            EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10)) << name;
            EXPECT_NE(result.exit_code, 0) << name << result.out;
            EXPECT_THAT(result.err, AllOf(HasSubstr(file), Not(HasSubstr("the host's")))) << name;
            box->ok({"image", "rm", name});
        }
}

TEST_F(ImageHostile, WhatWePutIntoTheRootFollowsNoLinkOut) {  // K34
    make("links",
         "rm -f $R/etc/hosts; ln -s $C/file $R/etc/hosts; ln -s ../../../../../../..$C/file $R/etc/resolv.conf\n"
         "ln -s $C/new $R/etc/hostname; mkdir -p $R/run; ln -s $C $R/run/secrets; ln -s $C $R/configs; ln -s $C "
         "$R/work");
    box->write("secret", "hidden\n");
    box->write("compose.yaml",
               "services:\n  web: {image: links, command: cat /run/secrets/s, secrets: [s],\n"
               "        configs: [{source: c, target: /configs/c}], working_dir: /work/deep}\n"
               "secrets: {s: {file: ./secret}}\nconfigs: {c: {content: plain}}\n");
    const auto up = box->compose({"up", "--no-log-prefix"});
    // Inside the root, or not at all: the canary is looked at in the end.
    if (up.exit_code != 0) {
        EXPECT_THAT(up.err, HasSubstr("web"));
    }
    EXPECT_THAT(up.out, Not(HasSubstr("the host's")));
    const auto hosts = run("links", {"cat", "/etc/hosts", "/etc/resolv.conf", "/etc/hostname"});
    EXPECT_THAT(hosts.out, Not(HasSubstr("the host's")));
}

TEST_F(ImageHostile, MountPointsThatAreLinks) {  // T30, K09, K19
    const std::pair<const char*, const char*> cases[] = {
        {"proc", "ln -s $C $R/proc"},     {"proc", "ln -s /nowhere $R/proc"},
        {"proc", "echo > $R/proc"},       {"sys", "ln -s ../../..$C $R/sys"},
        {"sys", "echo > $R/sys"},         {"dev", "ln -s $C $R/dev"},
        {"dev", "ln -s /nowhere $R/dev"}, {"dev", "echo > $R/dev"}};
    int number = 0;
    for (const auto& [folder, script] : cases) {
        const auto name = fmt::format("mounts-{}", ++number);
        make(name, script);
        const auto result = run(name, {"cat", "/proc/self/mountinfo"});
        EXPECT_NE(result.exit_code, 0) << script << result.out;
        EXPECT_THAT(result.err, HasSubstr(std::string("/") + folder)) << script;
        box->ok({"image", "rm", name});
    }
}

TEST_F(ImageHostile, TheStateIsForRootAlone) {  // K40, K41
    make("setuid", "cp /bin/busybox $R/bin/su; chmod 4755 $R/bin/su; mkdir $R/tmp; chmod 1777 $R/tmp");
    box->write("compose.yaml", "services: {web: {image: setuid, command: [sh, -c, 'exec busybox sleep 1000']}}\n");
    box->ok({"up", "-d"});
    const auto mode_of = [](const std::string& path) {
        struct stat info {};
        EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
        return info.st_mode & 07777U;
    };
    EXPECT_EQ(mode_of(box->state()), 0700U);
    EXPECT_EQ(mode_of(box->run_dir()), 0700U);
    const auto other = box->host({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "ls", box->state()});
    EXPECT_FALSE(other.ok()) << other.out;
    // What is not an image's or a container's own is for nobody else, wherever it lies.
    const auto open = box->host({"find",  box->state(), box->run_dir(),
                                 "(",     "-path",      box->state() + "/layers",
                                 "-o",    "-path",      box->state() + "/containers",
                                 "-o",    "-path",      box->run_dir() + "/projects/*/*",
                                 ")",     "-prune",     "-o",
                                 "!",     "-type",      "l",
                                 "-perm", "/o+w",       "-print"});
    EXPECT_EQ(open.out, "") << open.err;
    box->ok({"down", "-t", "0"});
}

TEST_F(ImageHostile, AVolumeTakesOnlyFromTheImage) {  // K42
    make("volume",
         "mkdir $R/inner; echo inside > $R/inner/file; ln -s inner $R/v; ln -s $C $R/out\n"
         "ln -s ../../../../..$C $R/up");
    EXPECT_EQ(run("volume", {"cat", "/v/file"}, {"-v", "one:/v"}).out, "inside\n");
    for (const char* target : {"/out", "/up"}) {
        const auto result = run("volume", {"ls", target}, {"-v", fmt::format("two{}:{}", target[1], target)});
        EXPECT_THAT(result.out, Not(HasSubstr("file"))) << target;
    }
    for (const char* volume : {"one", "twoo", "twou"}) (void)box->compose({"volume", "rm", "-f", volume});
}

TEST_F(ImageHostile, ArchivesThatReachOut) {  // K46, M18
    box->ok({"image", "save", "-o", box->path("good.tar"), "busybox"});
    const auto change = [&](const std::string& script) {
        const auto done = box->host(
            {"sh", "-ec", "rm -rf $1; mkdir $1; cd $1; tar -xf ../good.tar; C=$2\n" + script + "\ntar -cf ../bad.tar *",
             "sh", box->path("archive"), canary});
        EXPECT_TRUE(done.ok()) << script << done.err;
    };
    const std::string with_docker = "rm index.json oci-layout; ";
    const std::pair<std::string, const char*> cases[] = {
        {with_docker + "sed -i 's|busybox:latest|../../x|' manifest.json", "image name"},
        {with_docker + "sed -i 's|\"Config\":\"[^\"]*|\"Config\":\"../../../../../../etc/hostname|' manifest.json",
         "the archive has no"},
        {with_docker + "sed -i 's|\"Config\":\"[^\"]*|\"Config\":\"/etc/hostname|' manifest.json",
         "the archive has no"},
        {with_docker + "ln -s $C/file link; sed -i 's|\"Config\":\"[^\"]*|\"Config\":\"link|' manifest.json",
         "the archive has no"},
        {"sed -i 's|docker.io/library/busybox:latest|a/../../x|' index.json", "image name"},
        {"rm manifest.json; mv index.json i; ln -s $C/file index.json", "neither index.json nor manifest.json"},
        {"for f in blobs/sha256/*; do rm $f; ln -s $C/file $f; done", "the archive has no"},
        {"sed -i 's|sha256:[0-9a-f]*|sha256:../../../etc/passwd|' index.json", "is no digest"}};
    for (const auto& [script, message] : cases) {
        change(script);
        for (const auto& source : {box->path("bad.tar"), box->path("archive")}) {
            const auto result = box->compose({"image", "load", "-i", source});
            EXPECT_EQ(result.exit_code, 1) << script << result.out;
            EXPECT_THAT(result.err, AllOf(HasSubstr(message), Not(HasSubstr("the host's")))) << script << source;
        }
    }
    change("rm index.json manifest.json; mkfifo index.json");
    EXPECT_THAT(box->fails({"image", "load", "-i", box->path("archive")}), HasSubstr("neither index.json"));
    // Nothing of all that is a name or an image now.
    const auto left = box->ok({"image", "ls", "-aq"});
    EXPECT_EQ(std::count(left.begin(), left.end(), '\n'), 1);
}

}  // namespace
}  // namespace compose::test
