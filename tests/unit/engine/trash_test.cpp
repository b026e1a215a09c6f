#include "engine/trash.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "sys/file.hpp"

namespace compose::engine {
namespace {

namespace fs = std::filesystem;

class TrashTest : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = "/tmp/compose-trash-XXXXXX";
        root_ = ::mkdtemp(pattern.data());
        layout_ = store::Layout::from(root_ + "/state", root_ + "/run");
        layout_.prepare();
    }
    void TearDown() override { fs::remove_all(root_); }

    std::string make_container(const std::string& id) {
        sys::make_directories(layout_.container(id) + "/upper");
        sys::write_file(layout_.container(id) + "/hosts", "127.0.0.1 localhost\n");
        return layout_.container(id);
    }

    std::string root_;
    store::Layout layout_;
};

TEST_F(TrashTest, AFolderIsGoneFromItsPlaceAtOnceAndWhollyWhenEmptied) {
    Trash trash(layout_);
    trash.take(make_container("a"));
    trash.take(make_container("b"));
    trash.take(layout_.container("never made"));
    EXPECT_FALSE(fs::exists(layout_.container("a")));
    EXPECT_TRUE(fs::exists(layout_.trash() + "/a/hosts"));
    EXPECT_FALSE(trash.empty());
    EXPECT_TRUE(trash.empty_one());
    EXPECT_TRUE(trash.empty_one());
    EXPECT_FALSE(trash.empty_one());
    EXPECT_TRUE(fs::is_empty(layout_.trash()));
}

TEST_F(TrashTest, WhatAnotherLeftIsTakenToo) {
    Trash(layout_).take(make_container("a"));
    sys::make_directories(layout_.volume(".removed-0123") + "/_data");
    sys::make_directories(layout_.volume("kept") + "/_data");
    Trash next(layout_);
    EXPECT_TRUE(next.empty());
    next.empty_all();
    EXPECT_TRUE(fs::is_empty(layout_.trash()));
    EXPECT_FALSE(fs::exists(layout_.volume(".removed-0123")));
    EXPECT_TRUE(fs::exists(layout_.volume("kept")));
}

TEST_F(TrashTest, WhereNothingCanBeMovedItIsRemovedAtOnce) {
    sys::write_file(layout_.trash(), "a file in its place, as if the disk had no room for a folder");
    const std::string folder = make_container("a");
    Trash trash(layout_);
    trash.take(folder);
    EXPECT_FALSE(fs::exists(folder));
    EXPECT_TRUE(trash.empty());
}

TEST_F(TrashTest, ALeftoverThatCanNotBeRemovedFailsNobody) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root: something is mounted in a folder";
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    const std::string folder = make_container("a");
    ASSERT_EQ(::mount("none", (folder + "/upper").c_str(), "tmpfs", 0, nullptr), 0);
    Trash first(layout_);
    first.take(folder);
    EXPECT_THROW((void)first.empty_one(), Error);
    Trash next(layout_);
    EXPECT_NO_THROW(next.empty_all());
    ASSERT_EQ(::umount((layout_.trash() + "/a/upper").c_str()), 0);
    next.empty_all();
    EXPECT_TRUE(fs::is_empty(layout_.trash()));
}

}  // namespace
}  // namespace compose::engine
