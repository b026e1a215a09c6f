// Builds that are cut short: killed at any moment, or on a full disk. What is left is sound, the next command clears it
// away, and the next build goes on where the last one came to.
#include <signal.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>

#include "support/builds.hpp"

namespace compose::test {
namespace {

namespace fs = std::filesystem;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Clock = std::chrono::steady_clock;

/// Steps of every kind, two stages at once, all of them new with another ROUND.
constexpr const char* kDockerfile =
    "FROM busybox AS tool\nARG ROUND\nRUN mkdir /tool && echo $ROUND > /tool/round\n"
    "FROM busybox\nARG ROUND\nCOPY a /a\nWORKDIR /w/$ROUND\n"
    "RUN --mount=type=cache,target=/cache --mount=type=secret,id=k,target=/deep/k echo $ROUND > /b && cat /deep/k > "
    "/k\n"
    "ADD x.tgz /x/$ROUND/\nCOPY --from=tool /tool /tool\n"
    "RUN --mount=type=bind,from=tool,target=/m --mount=type=tmpfs,target=/t cat /m/tool/round > /c && ls /cache; "
    "true\n";

class KilledBuild : public testing::Test {
protected:
    void SetUp() override {
        if (!is_root()) GTEST_SKIP() << "needs root";
        box_ = std::make_unique<Sandbox>();
        box_->write("a", std::string(300'000, 'a'));
        box_->write("key", "secret");
        box_->write("in/file", "archived");
        ASSERT_TRUE(box_->host({"tar", "-czf", box_->path("x.tgz"), "-C", box_->path("in"), "."}).ok());
        box_->write("Dockerfile", kDockerfile);
        box_->write("empty/Dockerfile", "FROM busybox\n");
    }
    [[nodiscard]] std::vector<std::string> words(const std::string& round) const {
        return {"image",       "build",          "-t",          "built",
                "--progress",  "plain",          "--secret",    "id=k,src=" + box_->path("key"),
                "--build-arg", "ROUND=" + round, box_->folder()};
    }
    [[nodiscard]] std::unique_ptr<Background> start(const std::string& round, const std::string& log) const {
        std::vector<std::string> argv{"env", "COMPOSE_STATE_DIR=" + box_->state(), "COMPOSE_RUN_DIR=" + box_->run_dir(),
                                      COMPOSE_BINARY};
        for (const auto& word : words(round)) argv.push_back(word);
        return std::make_unique<Background>(*box_, argv, log);
    }
    /// What dead builds have left, after a command that has nothing to do with them.
    [[nodiscard]] std::vector<std::string> left_after_the_next() const {
        box_->ok({"image", "build", "-q", box_->path("empty")});
        std::vector<std::string> out;
        // The kernel takes a network namespace apart in its own time.
        (void)eventually([&] { return (out = left()).empty(); });
        return out;
    }
    [[nodiscard]] std::vector<std::string> left() const {
        std::vector<std::string> out;
        for (const auto& item : fs::directory_iterator(box_->state() + "/build"))
            if (item.path().filename() != "cache") out.push_back(item.path());
        for (const auto& item : fs::directory_iterator(box_->run_dir()))
            if (item.path().filename().string().starts_with("build-")) out.push_back(item.path());
        for (const auto& leak : box_->leaks()) out.push_back(leak);
        return out;
    }
    void expect_sound(const std::string& when) const {
        EXPECT_THAT(box_->ok({"image", "ls"}), Not(HasSubstr("built"))) << when << ": nothing half an image";
        EXPECT_THAT(left_after_the_next(), IsEmpty()) << when;
        // What has a layer's name is a whole layer.
        box_->ok({"system", "df"});
        box_->ok({"image", "save", "-o", box_->path("saved.tar"), "busybox"});
    }
    void expect_built(const std::string& round) const {
        const auto done = box_->compose(words(round));
        ASSERT_EQ(done.exit_code, 0) << done.err;
        const auto root = view(*box_);
        for (const char* file : {"/b", "/c", "/tool/round"}) EXPECT_EQ(sys::read_file(root + file), round + "\n");
        EXPECT_EQ(sys::read_file(root + "/k"), "secret");
        EXPECT_EQ(sys::read_file(root + "/x/" + round + "/file"), "archived");
        EXPECT_EQ(fs::file_size(root + "/a"), 300'000U);
        EXPECT_FALSE(fs::exists(root + "/deep"));
        box_->ok({"image", "rm", "-f", "built"});
    }
    std::unique_ptr<Sandbox> box_;
};

TEST_F(KilledBuild, AtAnyMomentLeavesTheStoreSound) {
    const auto began = Clock::now();
    expect_built("0");
    const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
    constexpr int kMoments = 16;
    int killed = 0;
    for (int moment = 0; moment < kMoments; ++moment) {
        const auto round = std::to_string(moment + 1);
        const auto delay = whole * moment / kMoments;
        auto build = start(round, box_->path("../log"));
        std::this_thread::sleep_for(delay);
        build->kill(SIGKILL);
        if (box_->ok({"image", "ls"}).find("built") != std::string::npos) {
            box_->ok({"image", "rm", "-f", "built"});  // it was quicker this time
        } else {
            ++killed;
        }
        expect_sound("after " + std::to_string(delay.count()) + " ms");
        if (moment % 5 == 4) expect_built(round);
    }
    EXPECT_GT(killed, kMoments / 4);
}

TEST_F(KilledBuild, AtEachStepGoesOnWithTheStepsThatAreDone) {
    // Each step of the second stage, by the line that says it has begun.
    const std::vector<std::string> steps{"] FROM busybox",           "] COPY a",    "] WORKDIR",
                                         "] RUN --mount=type=cache", "] ADD x.tgz", "] COPY --from=tool",
                                         "] RUN --mount=type=bind"};
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const auto round = "step" + std::to_string(i);
        const auto log = box_->path("../log-" + round);
        auto build = start(round, log);
        const bool begun = eventually(
            [&] {
                const auto text = fs::exists(log) ? sys::read_file(log) : std::string();
                return text.find(steps[i]) != std::string::npos;
            },
            std::chrono::seconds(30));
        build->kill(SIGKILL);
        ASSERT_TRUE(begun) << steps[i];
        if (box_->ok({"image", "ls"}).find("built") != std::string::npos) box_->ok({"image", "rm", "-f", "built"});
        const auto text = sys::read_file(log);
        expect_sound("at " + steps[i]);
        // Whatever had ended is found again.
        const auto again = box_->compose(words(round));
        ASSERT_EQ(again.exit_code, 0) << again.err;
        const auto ended = count(text, " DONE ") + count(text, " CACHED");
        const auto bases = count(text, "] FROM ");
        EXPECT_GE(count(again.err, " CACHED") + bases, ended) << text << again.err;
        if (i == steps.size() - 1) {
            EXPECT_GE(count(again.err, " CACHED"), 5U) << again.err;
        }
        expect_built(round);
    }
}

// The container of a step outlives its builder until the next build ends it, whatever cgroup it is in.
TEST_F(KilledBuild, TheContainersOfAStepAreEnded) {
    const std::string parent = "/compose-test-" + std::to_string(::getpid());
    box_->write("long/Dockerfile", "FROM busybox\nRUN sleep 12345\n");
    Background build(*box_,
                     {"env", "COMPOSE_STATE_DIR=" + box_->state(), "COMPOSE_RUN_DIR=" + box_->run_dir(), COMPOSE_BINARY,
                      "image", "build", "--cgroup-parent", parent, box_->path("long")},
                     box_->path("../log"));
    const auto sleepers = [&] { return box_->host({"sh", "-c", "pgrep -f '^sleep 12345' || true"}).out; };
    ASSERT_TRUE(eventually([&] { return !sleepers().empty(); }, std::chrono::seconds(30)));
    EXPECT_THAT(box_->host({"sh", "-c", "cat /proc/$(pgrep -f '^sleep 12345' | head -n 1)/cgroup"}).out,
                HasSubstr(parent + "/"));
    build.kill(SIGKILL);
    EXPECT_THAT(left_after_the_next(), IsEmpty());
    EXPECT_EQ(sleepers(), "");
    // The parent is the user's, and so is its removal.
    (void)box_->host({"sh", "-c", "find /sys/fs/cgroup -depth -type d -path '*" + parent + "' -exec rmdir {} ';'"});
}

/// A state folder on a small file system of its own.
class FullDisk : public testing::Test {
protected:
    void SetUp() override {
        if (!is_root()) GTEST_SKIP() << "needs root";
        box_ = std::make_unique<Sandbox>();
        box_->ok({"image", "save", "-o", box_->path("busybox.tar"), "busybox"});
        small_ = box_->path("../small");
        fs::create_directory(small_);
        ASSERT_EQ(::mount("small", small_.c_str(), "tmpfs", 0, "size=24m,mode=0700"), 0);
        box_->environment["COMPOSE_STATE_DIR"] = small_;
        box_->ok({"image", "load", "-i", box_->path("busybox.tar")});
    }
    void TearDown() override {
        if (small_.empty()) return;
        box_->environment["COMPOSE_STATE_DIR"] = box_->state();
        EXPECT_EQ(::umount2(small_.c_str(), 0), 0);
    }
    [[nodiscard]] std::int64_t free_space() const {
        struct statvfs info {};
        ::statvfs(small_.c_str(), &info);
        return static_cast<std::int64_t>(info.f_bavail * info.f_frsize);
    }
    std::unique_ptr<Sandbox> box_;
    std::string small_;
};

TEST_F(FullDisk, EndsABuildWithAnErrorAndGivesTheSpaceBack) {
    ASSERT_TRUE(box_->host({"dd", "if=/dev/urandom", "of=" + box_->path("big"), "bs=1M", "count=40"}).ok());
    ASSERT_TRUE(box_->host({"tar", "-cf", box_->path("big.tar"), "big"}).ok());
    built(*box_, "FROM busybox\nRUN echo 1 > /one\n");
    box_->write("in/Dockerfile", "FROM busybox\nCOPY big /big\n");
    const auto before = free_space();
    const std::vector<std::string> files{
        "FROM busybox\nRUN echo 1 > /one\nRUN dd if=/dev/zero of=/big bs=1M count=40\n",
        "FROM busybox\nRUN echo 1 > /one\nCOPY big /big\n", "FROM busybox\nRUN echo 1 > /one\nADD big.tar /big/\n",
        "FROM busybox\nRUN --mount=source=big,target=/m,rw true\n",
        "FROM busybox\nRUN --mount=type=cache,target=/c dd if=/dev/zero of=/c/big bs=1M count=40\n"};
    for (const auto& file : files) {
        const auto failed = build(*box_, file, {"-t", "never"});
        EXPECT_EQ(failed.exit_code, 1) << file;
        EXPECT_THAT(failed.err, ContainsRegex("[Nn]o space left on device")) << file;
        EXPECT_THAT(failed.err, HasSubstr("Dockerfile:")) << "the step is named";
        EXPECT_THAT(box_->ok({"image", "ls"}), Not(HasSubstr("never")));
        if (file.find("type=cache") != std::string::npos) {
            // What a step writes to its cache is kept until somebody says so.
            EXPECT_LT(free_space(), before / 2);
            fs::create_symlink(COMPOSE_BINARY, box_->path("docker"));
            const auto pruned = box_->host({"env", "COMPOSE_STATE_DIR=" + small_, "COMPOSE_RUN_DIR=" + box_->run_dir(),
                                            box_->path("docker"), "builder", "prune", "-f"});
            EXPECT_EQ(pruned.exit_code, 0) << pruned.err;
            built(*box_, "FROM busybox\nRUN echo 1 > /one\n");
        }
        EXPECT_GT(free_space(), before - (std::int64_t{2} << 20U)) << file;
        const auto next = built(*box_, "FROM busybox\nRUN echo 1 > /one\n");
        EXPECT_THAT(next.err, HasSubstr("CACHED"));
    }
    // A context that doesn't fit.
    const auto tar = box_->host({"tar", "-C", box_->folder(), "-cf", "-", "big", "Dockerfile"}).out;
    EXPECT_THAT(box_->compose({"image", "build", "-"}, tar).err, HasSubstr("no space left on device"));
    EXPECT_GT(free_space(), before - (std::int64_t{2} << 20U));
    built(*box_, "FROM busybox\nRUN echo 2 > /two\n");
}

}  // namespace
}  // namespace compose::test
