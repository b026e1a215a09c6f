#include "sys/dir.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "sys/clock.hpp"

namespace compose::sys {
namespace {

namespace fs = std::filesystem;

class DirTest : public ::testing::Test {
protected:
    DirTest() : root_(fs::temp_directory_path() / ("compose-dir-" + random_id().substr(0, 12))) {
        fs::create_directories(root_ / "tree");
        fs::create_directories(root_ / "canary/sub");
        std::ofstream(root_ / "canary/sub/file") << "canary";
    }
    ~DirTest() override {
        EXPECT_TRUE(fs::exists(root_ / "canary/sub/file")) << "something outside of the tree was removed";
        std::error_code ignored;
        fs::remove_all(root_, ignored);
    }
    fs::path root_;
};

TEST_F(DirTest, RemovesLinksAndNotWhatTheyPointTo) {
    fs::create_directory_symlink(root_ / "canary", root_ / "tree/dir-link");
    fs::create_symlink(root_ / "canary/sub/file", root_ / "tree/link");
    fs::create_symlink("nowhere", root_ / "tree/dangling");
    ASSERT_EQ(::mkfifo((root_ / "tree/pipe").c_str(), 0600), 0);
    remove_tree(root_ / "tree");
    EXPECT_FALSE(fs::exists(root_ / "tree"));
    fs::create_directory_symlink(root_ / "canary", root_ / "link");
    remove_tree(root_ / "link");
    EXPECT_FALSE(fs::exists(fs::symlink_status(root_ / "link")));
    remove_tree(root_ / "link");
    EXPECT_THROW(remove_tree(root_ / "canary/.."), Error);
    EXPECT_THROW(remove_tree("/"), Error);
}

TEST_F(DirTest, RemovesTreesDeeperThanAPathOrTheDescriptorsAllow) {
    Fd dir = open_directory(root_ / "tree");
    const std::string name(100, 'd');
    for (int level = 0; level < 1500; ++level) {
        ASSERT_EQ(::mkdirat(dir.get(), name.c_str(), 0700), 0) << level;
        const Fd file(::openat(dir.get(), "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        ASSERT_TRUE(file);
        dir = Fd(::openat(dir.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        ASSERT_TRUE(dir);
    }
    // A name that the removal itself would use must not stop it.
    fs::create_directory(root_ / "tree" / fmt::format(".compose-remove-{}-0", ::getpid()));
    remove_tree(root_ / "tree");
    EXPECT_FALSE(fs::exists(root_ / "tree"));
}

TEST_F(DirTest, RemovesWideTrees) {
    const Fd dir = open_directory(root_ / "tree");
    for (int i = 0; i < 20'000; ++i)
        ASSERT_EQ(::mknodat(dir.get(), fmt::format("f{}", i).c_str(), S_IFREG | 0600, 0), 0);
    fs::create_directories(root_ / "tree/a/b/c");
    remove_tree(root_ / "tree");
    EXPECT_FALSE(fs::exists(root_ / "tree"));
}

TEST_F(DirTest, LeavesMountPointsAloneAndGoesOn) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    fs::create_directories(root_ / "tree/a/mounted");
    fs::create_directories(root_ / "tree/z");
    const pid_t pid = ::fork();
    if (pid == 0) {
        int result = 1;
        if (::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
            ::mount((root_ / "canary").c_str(), (root_ / "tree/a/mounted").c_str(), nullptr, MS_BIND, nullptr) == 0) {
            try {
                remove_tree(root_ / "tree");
                result = 2;
            } catch (const Error& error) {
                const std::string text = error.what();
                const bool named =
                    text.find("mounted") != std::string::npos && text.find("mount point") != std::string::npos;
                result = named && !fs::exists(root_ / "tree/z") && fs::exists(root_ / "canary/sub/file") ? 0 : 3;
            }
        }
        ::_exit(result);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
}

TEST_F(DirTest, OpensOnlyInside) {
    std::ofstream(root_ / "tree/file") << "x";
    fs::create_symlink("/file", root_ / "tree/absolute");
    fs::create_symlink("../canary", root_ / "tree/out");
    const Fd root = open_directory(root_ / "tree");
    EXPECT_TRUE(open_in_root(root, "/file", O_RDONLY));
    EXPECT_TRUE(open_in_root(root, "absolute", O_RDONLY));
    EXPECT_TRUE(open_in_root(root, "../../../file", O_RDONLY));
    EXPECT_THROW(static_cast<void>(open_in_root(root, "out", O_RDONLY)), Error);
    EXPECT_THROW(static_cast<void>(open_beneath(root, "absolute", O_RDONLY)), Error);
    EXPECT_THROW(static_cast<void>(open_beneath(root, "../canary", O_RDONLY)), Error);
    EXPECT_THROW(static_cast<void>(open_beneath(root, "out", O_RDONLY)), Error);
    EXPECT_TRUE(open_beneath(root, "file", O_RDONLY));
    EXPECT_FALSE(find_directory_in_root(root, "missing"));
    EXPECT_THROW(static_cast<void>(find_directory_in_root(root, "file")), Error);
    EXPECT_FALSE(find_directory_in_root(root, "file", Missing::anything_else));
    EXPECT_FALSE(find_regular_file_in_root(root, "."));
    EXPECT_TRUE(find_regular_file_in_root(root, "absolute"));
}

TEST_F(DirTest, ListsSorted) {
    for (const auto* name : {"b", "a", ".c"}) std::ofstream(root_ / "tree" / name) << "x";
    EXPECT_EQ(list_directory(root_ / "tree"), (std::vector<std::string>{".c", "a", "b"}));
}

}  // namespace
}  // namespace compose::sys
