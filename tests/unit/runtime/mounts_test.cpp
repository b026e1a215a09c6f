// Volumes and the other mounts of a container, and what hostile images and volumes try with their targets.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "container.hpp"
#include "sys/file.hpp"

namespace compose::runtime::test {
namespace {

namespace fs = std::filesystem;

class Mounts : public ContainerTest {
protected:
    void SetUp() override {
        ContainerTest::SetUp();
        if (IsSkipped()) return;
        fs::create_directory(path("canary"));
        write("canary/file", "untouched\n");
        fs::create_directory(path("volume"));
    }
    void TearDown() override {
        if (!folder_.empty()) {
            EXPECT_EQ(canary(), "file:untouched\n") << "the host was touched";
        }
        ContainerTest::TearDown();
    }
    [[nodiscard]] std::string canary() const {
        std::string result;
        for (const auto& entry : fs::recursive_directory_iterator(path("canary")))
            result += entry.path().filename().string() + ":" + read(entry.path());
        return result;
    }
    static MountSpec bind(const std::string& source, const std::string& target, bool read_only = false) {
        MountSpec mount;
        mount.source = source;
        mount.target = target;
        mount.read_only = read_only;
        return mount;
    }
    static MountSpec tmpfs(const std::string& target, const std::string& options = {}) {
        MountSpec mount;
        mount.kind = MountSpec::Kind::tmpfs;
        mount.target = target;
        mount.options = options;
        return mount;
    }
    // A layer on top of busybox in which `name` is a link.
    ContainerSpec with_link(const std::string& name, const std::string& text,
                            std::vector<std::string> args = {"true"}) {
        auto spec = make_spec(std::move(args));
        const std::string layer = path("layer-" + spec.id.substr(0, 8));
        const fs::path link = fs::path(layer) / name;
        fs::create_directories(link.parent_path());
        fs::create_symlink(text, link);
        spec.lower.insert(spec.lower.begin(), layer);
        return spec;
    }
};

TEST_F(Mounts, VolumesAreMountedAndTheirTargetsMade) {
    write("volume/data", "content\n");
    auto spec = make_spec({});
    spec.mounts = {bind(path("volume"), "/new/deep/target"), bind(path("volume/data"), "/etc/app/data.conf")};
    EXPECT_EQ(
        run_shell(spec, "cat /new/deep/target/data /etc/app/data.conf; echo more > /new/deep/target/other").output,
        "content\ncontent\n");
    EXPECT_EQ(read(path("volume/other")), "more\n");
}

TEST_F(Mounts, ReadOnlyVolumesAreSoThroughout) {
    fs::create_directory(path("volume/below"));
    ASSERT_EQ(::mount("none", path("volume/below").c_str(), "tmpfs", 0, nullptr), 0);
    auto spec = make_spec({"probe", "write", "/v", "/v/below"});
    spec.mounts = {bind(path("volume"), "/v", true)};
    EXPECT_EQ(run(spec).output, "/v=EROFS\n/v/below=EROFS\n");
    spec = make_spec({"probe", "write", "/v", "/v/below"});
    spec.mounts = {bind(path("volume"), "/v", true)};
    spec.mounts[0].recursive_read_only = false;
    EXPECT_EQ(run(spec).output, "/v=EROFS\n/v/below=ok\n");
    ::umount2(path("volume/below").c_str(), MNT_DETACH);
}

TEST_F(Mounts, ParentsAreMountedBeforeChildrenWhateverTheOrder) {
    fs::create_directory(path("inner"));
    write("inner/file", "inner\n");
    auto spec = make_spec({});
    spec.mounts = {bind(path("inner"), "/v/below"), bind(path("volume"), "/v")};
    EXPECT_EQ(run_shell(spec, "cat /v/below/file").output, "inner\n");
}

TEST_F(Mounts, TmpfsHasItsOptions) {
    auto spec = make_spec({"probe", "report"});
    spec.mounts = {tmpfs("/run"), tmpfs("/tmp"), tmpfs("/cache", "size=1m,mode=700,exec,uid=1000")};
    const std::string text = run(spec).output;
    EXPECT_NE(text.find("mount=/run tmpfs rw,nosuid,nodev,noexec"), std::string::npos) << text;
    EXPECT_NE(text.find("mount=/cache tmpfs rw,nosuid,nodev,relatime root=/ super=rw,size=1024k,mode=700,uid=1000"),
              std::string::npos)
        << text;
    auto again = make_spec({});
    again.mounts = spec.mounts;
    EXPECT_EQ(run_shell(again, "stat -c %a /tmp /run /cache").output, "1777\n1777\n700\n") << "/tmp keeps its mode";
}

TEST_F(Mounts, PropagationIsWhatTheSpecSays) {
    ASSERT_EQ(::mount("none", path("volume").c_str(), "tmpfs", 0, nullptr), 0);
    ASSERT_EQ(::mount(nullptr, path("volume").c_str(), nullptr, MS_SHARED, nullptr), 0);
    for (const auto& [propagation, expected] : std::vector<std::pair<std::string, std::string>>{
             {"rprivate", ""}, {"rslave", " master:"}, {"rshared", " shared:"}}) {
        auto spec = make_spec({"probe", "report"});
        spec.mounts = {bind(path("volume"), "/v")};
        spec.mounts[0].propagation = propagation;
        const std::string text = run(spec).output;
        const auto at = text.find("mount=/v ");
        ASSERT_NE(at, std::string::npos) << text;
        const std::string line = text.substr(at, text.find('\n', at) - at);
        EXPECT_EQ(line.find(" master:") != std::string::npos, expected == " master:") << line;
        EXPECT_EQ(line.find(" shared:") != std::string::npos, expected == " shared:") << line;
    }
    ::umount2(path("volume").c_str(), MNT_DETACH);
}

TEST_F(Mounts, TargetsThatBelongToTheKernelAreRefused) {
    for (const char* target :
         {"/proc", "/proc/sys", "/proc/self/attr", "/x/../proc/1", "/proc/cpuinfo/..", "/sys", "/", "//.", "x"}) {
        auto spec = make_spec({"true"});
        spec.mounts = {bind(path("volume"), target)};
        EXPECT_THROW((void)run(spec), Error) << target;
    }
    auto spec = make_spec({"cat", "/proc/uptime"});
    write("uptime", "1 1\n");
    spec.mounts = {bind(path("uptime"), "/proc/uptime")};
    EXPECT_EQ(run(spec).output, "1 1\n");
}

TEST_F(Mounts, AnImageThatMakesAKernelDirectoryALinkDoesNotStart) {
    for (const char* name : {"proc", "sys", "dev"}) {
        for (const std::string& text :
             {std::string("/tmp"), path("canary"), std::string("../../../../tmp"), std::string("nowhere")}) {
            const Outcome outcome = run(with_link(name, text));
            EXPECT_FALSE(outcome.started);
            EXPECT_NE(outcome.failure.message.find(fmt::format("/{} in the image is not a directory", name)),
                      std::string::npos)
                << outcome.failure.message;
            EXPECT_EQ(outcome.failure.exit_code, 128);
        }
    }
    auto spec = make_spec({"true"});
    fs::create_directories(path("filelayer"));
    write("filelayer/proc", "a file\n");
    spec.lower.insert(spec.lower.begin(), path("filelayer"));
    EXPECT_FALSE(run(spec).started);
}

TEST_F(Mounts, LinksInTargetsStayInTheRoot) {
    write("volume/data", "content\n");
    // An absolute link, one with "..", a chain, and one that dangles, as images have for /etc/resolv.conf.
    auto spec = with_link("app", path("canary"));
    spec.mounts = {bind(path("volume"), "/app/data")};
    EXPECT_EQ(run_shell(spec, "cat " + path("canary") + "/data/data").output, "content\n");
    spec = with_link("app", "../../../../../.." + path("canary"));
    spec.mounts = {bind(path("volume"), "/app")};
    EXPECT_EQ(run_shell(spec, "cat " + path("canary") + "/data").output, "content\n");
    spec = with_link("etc/resolv.conf", "../run/resolve/stub.conf");
    spec.resolv_conf_file = path("volume/data");
    EXPECT_EQ(run_shell(spec, "cat /etc/resolv.conf /run/resolve/stub.conf").output, "content\ncontent\n");
    spec = with_link("etc/hosts", path("canary/file"));
    spec.hosts_file = path("volume/data");
    EXPECT_EQ(run_shell(spec, "cat /etc/hosts; echo changed > /etc/hosts").output, "content\n");
    spec = with_link("a", "b");
    fs::create_symlink("a", fs::path(spec.lower.front()) / "b");
    spec.mounts = {bind(path("volume"), "/a/x")};
    EXPECT_NE(run(spec).failure.message.find("symbolic links"), std::string::npos);
}

TEST_F(Mounts, ALinkCannotLeadAVolumeOntoKernelTreesOrTheRoot) {
    const std::pair<const char*, const char*> cases[] = {{"/proc/sys", "/proc or /sys"},
                                                         {"/sys/kernel", "/proc or /sys"},
                                                         {"/proc/self/root/etc", "symbolic links"},
                                                         {"/", "the root of the container"},
                                                         {"/proc/1/cwd", ""}};
    for (const auto& [text, reason] : cases) {
        auto spec = with_link("app", text);
        spec.mounts = {bind(path("volume"), "/app")};
        const Outcome outcome = run(spec);
        EXPECT_FALSE(outcome.started) << text;
        EXPECT_NE(outcome.failure.message.find(reason), std::string::npos) << outcome.failure.message;
    }
}

TEST_F(Mounts, FilesAndDirectoriesAreNotMixed) {
    auto spec = make_spec({"true"});
    spec.mounts = {bind(path("volume"), "/etc/passwd")};
    EXPECT_NE(run(spec).failure.message.find("a directory can't be mounted on a file"), std::string::npos);
    spec = make_spec({"true"});
    spec.mounts = {bind(path("canary/file"), "/etc")};
    EXPECT_NE(run(spec).failure.message.find("a file can't be mounted on a directory"), std::string::npos);
}

// A volume over /dev whose null is a link to something worth writing.
TEST_F(Mounts, MasksNeverComeFromAVolume) {
    fs::create_symlink("/proc/sys/kernel/core_pattern", path("volume/null"));
    const std::string before = read("/proc/sys/kernel/core_pattern");
    auto spec = make_spec({"probe", "write", "/proc/sys/kernel/core_pattern", "/dev/null"});
    spec.mounts = {bind(path("volume"), "/dev")};
    EXPECT_EQ(run(spec).output, "/proc/sys/kernel/core_pattern=EROFS\n/dev/null=EROFS\n");
    spec = make_spec({});
    spec.mounts = {bind(path("volume"), "/dev")};
    EXPECT_EQ(run_shell(spec, "stat -c %t:%T /proc/interrupts").output, "1:3\n");
    EXPECT_EQ(read("/proc/sys/kernel/core_pattern"), before);
    // And an exec does not take such a thing for its standard input.
    spec = make_spec({"sleep", "1000"});
    spec.mounts = {bind(path("volume"), "/dev")};
    Launch& container = start(spec);
    ProcessSpec process;
    process.args = {"true"};
    EXPECT_THROW((void)exec(spec, container, process), Error);
}

TEST_F(Mounts, AWorkingDirectoryIsMadeInsideOnly) {
    auto spec = with_link("w", path("canary"), {"pwd"});
    spec.process.cwd = "/w/x/y";
    EXPECT_EQ(run(spec).output, path("canary") + "/x/y\n");
    spec = make_spec({"stat", "-c", "%u:%g %a", "."});
    spec.process.cwd = "/fresh/dir";
    spec.process.user = "web";
    EXPECT_EQ(run(spec).output, "0:0 755\n");
}

TEST_F(Mounts, AWorkingDirectoryByDescriptorIsRefused) {
    for (int fd = 0; fd < 40; ++fd) {
        for (const char* tail : {"", "/../../.."}) {
            auto spec = make_spec({"true"});
            spec.process.cwd = fmt::format("/proc/self/fd/{}{}", fd, tail);
            EXPECT_FALSE(run(spec).started) << spec.process.cwd;
        }
    }
}

TEST_F(Mounts, ManyLayersMakeOneRoot) {
    auto spec = make_spec({});
    for (int i = 0; i < 60; ++i) {
        const std::string layer = path(fmt::format("layer-with-a-rather-long-name-{}", i));
        fs::create_directory(layer);
        sys::write_file(fmt::format("{}/f{}", layer, i), "x");
        spec.lower.insert(spec.lower.begin(), layer);
    }
    EXPECT_EQ(run_shell(spec, "ls -d /f* | wc -l").output, "60\n");
}

// What the interface for one directory at a time cannot take goes by mount(2), as on kernels that lack it.
TEST_F(Mounts, LayersWithLongOrOddPathsMakeOneRoot) {
    const std::string deep = path(std::string(120, 'x') + "/" + std::string(140, 'y'));
    auto spec = make_spec({});
    for (int i = 0; i < 5; ++i) {
        const std::string layer = fmt::format("{}/layer:with,odd\\\\signs-{}", deep, i);
        fs::create_directories(layer);
        sys::write_file(fmt::format("{}/f{}", layer, i), "x");
        spec.lower.insert(spec.lower.begin(), layer);
    }
    EXPECT_EQ(run_shell(spec, "ls -d /f* | wc -l; echo x > /f0; echo y > /new; cat /f0").output, "5\nx\n");
    EXPECT_EQ(read(spec.upper + "/new"), "y\n");
}

// One container swaps the parent of another's mount target between a directory and a link to the outside.
TEST_F(Mounts, ATargetSwappedDuringTheStartNeverLeadsOut) {
    fs::create_directories(path("volume/target/sub"));
    fs::create_symlink(path("canary"), path("volume/link"));
    std::atomic<bool> stop = false;
    std::thread swapper([&] {
        const std::string a = path("volume/target");
        const std::string b = path("volume/link");
        while (!stop) (void)::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE);
    });
    for (int i = 0; i < 60; ++i) {
        auto spec = make_spec({"true"});
        spec.mounts = {bind(path("volume"), "/v"), bind(path("inner"), "/v/target/sub/made")};
        fs::create_directories(path("inner"));
        const Outcome outcome = run(spec);
        if (!outcome.started) {
            EXPECT_NE(outcome.failure.message.find("mount "), std::string::npos) << outcome.failure.message;
        }
    }
    stop = true;
    swapper.join();
}

}  // namespace
}  // namespace compose::runtime::test
