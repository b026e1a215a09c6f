// Copying from folders into roots: names, modes, links that mean harm, digests.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "build/source_tree.hpp"
#include "build/tree_writer.hpp"
#include "sys/clock.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"

namespace compose::build {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

class TreeTest : public ::testing::Test {
protected:
    TreeTest() : top_(fs::temp_directory_path() / ("compose-tree-" + sys::random_id().substr(0, 12))) {
        fs::create_directories(top_ / "source");
        fs::create_directories(top_ / "root");
        fs::create_directories(top_ / "canary");
        put("canary/file", "canary");
    }
    ~TreeTest() override {
        EXPECT_EQ(sys::read_file(top_ / "canary/file"), "canary");
        EXPECT_EQ(std::distance(fs::directory_iterator(top_ / "canary"), {}), 1);
        fs::remove_all(top_);
    }
    void put(const std::string& name, const std::string& text = "x") const {
        fs::create_directories((top_ / name).parent_path());
        std::ofstream(top_ / name) << text;
    }
    SourceTree tree(const std::string& ignore = "") {
        return {sys::open_directory(top_ / "source"), DockerIgnore(ignore), digests_, false};
    }
    void copy(const std::string& source, const std::string& target, WriteOptions options = {},
              const std::string& ignore = "") {
        const auto root = sys::open_directory(top_ / "root");
        TreeWriter writer(root, std::move(options));
        const auto from = tree(ignore);
        for (const auto& found : from.find(source)) writer.copy(from, found, source, target);
        writer.finish();
    }
    /// Everything below root, sorted.
    std::vector<std::string> names() const {
        std::vector<std::string> out;
        for (const auto& item : fs::recursive_directory_iterator(top_ / "root"))
            if (!item.is_directory() || fs::is_empty(item)) out.push_back(fs::relative(item.path(), top_ / "root"));
        std::sort(out.begin(), out.end());
        return out;
    }

    fs::path top_;
    FileDigests digests_{""};
};

TEST_F(TreeTest, AFolderGivesItsContentAFileItsName) {
    put("source/d/a");
    put("source/d/e/b");
    copy("d", "/x");
    copy("d/a", "/y/");
    copy("d/a", "/z");
    copy("d/a", "/x");  // a directory by now
    EXPECT_THAT(names(), ElementsAre("x/a", "x/e/b", "y/a", "z"));
}

TEST_F(TreeTest, WildcardsTakeWhatMatches) {
    put("source/a.txt");
    put("source/b.txt");
    put("source/c.md");
    put("source/d/e.txt");
    copy("*.txt", "/t/");
    copy("?/*.txt", "/u/");
    copy("*.none", "/v/");
    EXPECT_THAT(names(), ElementsAre("t/a.txt", "t/b.txt", "u/e.txt"));
    EXPECT_THROW(copy("missing", "/v/"), Error);
}

TEST_F(TreeTest, IgnoredFilesAreLeftOutAndShownAgain) {
    put("source/keep/a");
    put("source/drop/b");
    put("source/drop/deep/c");
    copy("/", "/all", {}, "drop\n!drop/deep/c\n");
    EXPECT_THAT(names(), ElementsAre("all/drop/deep/c", "all/keep/a"));
    EXPECT_THROW(copy("drop/b", "/x", {}, "drop"), Error);
}

TEST_F(TreeTest, ParentsAndExcludes) {
    put("source/a/b/c.txt");
    put("source/a/b/d.md");
    put("source/x/y/z");
    WriteOptions options;
    options.parents = true;
    options.excludes = {"*.md"};
    copy("a/b", "/p/", options);
    copy("x/./y/z", "/q/", options);
    EXPECT_THAT(names(), ElementsAre("p/a/b/c.txt", "q/y/z"));
}

TEST_F(TreeTest, OwnersModesAndTimes) {
    put("source/f");
    ::chmod((top_ / "source/f").c_str(), 0640);
    WriteOptions options;
    options.owner = Owner{7, 8};
    options.mode = ModeChange("u+x");
    copy("f", "/n/f", options);
    struct stat info {};
    ASSERT_EQ(::stat((top_ / "root/n/f").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0740U);
    EXPECT_EQ(info.st_uid, 7U);
    EXPECT_EQ(info.st_gid, 8U);
    struct stat source {};
    ASSERT_EQ(::stat((top_ / "source/f").c_str(), &source), 0);
    EXPECT_EQ(info.st_mtim.tv_nsec, source.st_mtim.tv_nsec);
    ASSERT_EQ(::stat((top_ / "root/n").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0755U);
    EXPECT_EQ(info.st_uid, 7U);
}

TEST_F(TreeTest, LinksOfTheSourceAreCopiedAndTheNamedOneIsFollowedInside) {
    put("source/real/f", "inside");
    fs::create_symlink("real", top_ / "source/link");
    fs::create_symlink("/etc/passwd", top_ / "source/out");
    fs::create_symlink("../../canary", top_ / "source/up");
    copy("link", "/a");
    copy("real/../link/f", "/b");
    EXPECT_THAT(names(), ElementsAre("a/f", "b"));
    EXPECT_THROW(copy("out", "/c"), Error) << "the source's root is /";
    EXPECT_THROW(copy("up/file", "/c"), Error);
    copy("/", "/all");
    EXPECT_EQ(fs::read_symlink(top_ / "root/all/out"), "/etc/passwd") << "a link stays a link";
}

// K63: what is in the root already may be links that lead anywhere.
TEST_F(TreeTest, LinksOfTheRootNeverLeadOut) {
    put("source/f", "new");
    put("source/d/g");
    fs::create_symlink("../../canary", top_ / "root/up");
    fs::create_symlink((top_ / "canary").string(), top_ / "root/absolute");
    fs::create_symlink("../canary/file", top_ / "root/file");
    copy("f", "/file");
    EXPECT_FALSE(fs::is_symlink(top_ / "root/file")) << "replaced, not followed";
    EXPECT_THROW(copy("f", "/absolute/x"), Error);
    EXPECT_THROW(copy("d", "/absolute"), Error);
    copy("f", "/../../../g");
    EXPECT_EQ(sys::read_file(top_ / "root/g"), "new");
}

TEST_F(TreeTest, FilesAndFoldersDoNotReplaceEachOther) {
    put("source/f");
    put("source/d/f/g");
    put("root/dir/x");
    put("root/e/f");
    EXPECT_THROW(copy("d", "/e"), Error);
    EXPECT_THROW(copy("f", "/e/f/g"), Error);
    WriteOptions options;
    copy("f", "/dir");
    EXPECT_TRUE(fs::exists(top_ / "root/dir/f"));
}

TEST_F(TreeTest, OddFilesOfAContext) {
    ASSERT_EQ(::mkfifo((top_ / "source/pipe").c_str(), 0644), 0);
    ASSERT_EQ(::mknod((top_ / "source/socket").c_str(), S_IFSOCK | 0644, 0), 0);
    put("source/f");
    copy("/", "/all");
    EXPECT_THAT(names(), ElementsAre("all/f", "all/pipe"));
    static_cast<void>(tree().digest("", {}));  // and reads none of them
}

TEST_F(TreeTest, ADigestIsOfContentNotOfTimes) {
    put("source/d/a", "1");
    const auto before = tree().digest("d", {});
    fs::last_write_time(top_ / "source/d/a", fs::file_time_type::clock::now() - std::chrono::hours(5));
    EXPECT_EQ(tree().digest("d", {}), before);
    ::chmod((top_ / "source/d/a").c_str(), 0755);
    const auto mode = tree().digest("d", {});
    EXPECT_NE(mode, before);
    put("source/d/a", "2");
    EXPECT_NE(tree().digest("d", {}), mode);
    put("source/d/b", "2");
    fs::remove(top_ / "source/d/a");
    EXPECT_NE(tree().digest("d", {}), before) << "the name counts";
    EXPECT_EQ(tree("d/b").digest("d", {}), tree().digest("d", {"b"}));
}

TEST_F(TreeTest, DigestsAreRememberedByTheFilesStamp) {
    put("source/a", "one");
    const auto memory = (top_ / "memory").string();
    const auto digest = [&] {
        FileDigests digests(memory);
        const SourceTree from(sys::open_directory(top_ / "source"), {}, digests, false);
        auto out = from.digest("a", {});
        digests.save();
        return out;
    };
    ::usleep(120'000);  // old enough to be remembered
    const auto first = digest();
    EXPECT_TRUE(fs::exists(memory));
    EXPECT_EQ(digest(), first);
    put("source/a", "two");
    EXPECT_NE(digest(), first) << "the same size, another time";
    sys::write_file(memory, "compose context digests 1\ngarbage");
    EXPECT_NE(digest(), first);
}

}  // namespace
}  // namespace compose::build
