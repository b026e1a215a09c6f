// Files in and out of a root: archives that mean harm, and roots that change meanwhile.
#include "image/tree_tar.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "sys/clock.hpp"
#include "sys/dir.hpp"
#include "sys/env.hpp"
#include "sys/file.hpp"
#include "tar_builder.hpp"

namespace compose::image::test {
namespace {

namespace fs = std::filesystem;

class TreeTar : public ::testing::Test {
protected:
    TreeTar() : base_(fs::temp_directory_path() / ("compose-tree-" + sys::random_id().substr(0, 12))) {
        fs::create_directories(base_ / "root/place");
        fs::create_directories(base_ / "outside");
        std::ofstream(base_ / "outside/canary") << "canary";
        options_.owner = sys::effective_user();
        options_.group = sys::effective_group();
    }
    ~TreeTar() override {
        std::error_code ignored;
        fs::remove_all(base_, ignored);
        EXPECT_FALSE(fs::exists(base_));
    }

    void unpack(const std::string& bytes) {
        sys::write_file(base_ / "archive", bytes);
        const auto tar = sys::open_file(base_ / "archive", O_RDONLY);
        unpack_tree(tar, sys::open_directory(base_ / "root"), "/place", options_);
    }
    std::string failure(const std::string& bytes) {
        try {
            unpack(bytes);
        } catch (const Error& error) {
            return error.what();
        }
        return {};
    }
    std::string canary() const { return sys::read_file(base_ / "outside/canary"); }
    fs::path place() const { return base_ / "root/place"; }

    fs::path base_;
    UnpackOptions options_;
};

TEST_F(TreeTar, OneFileIsCopiedWithoutAStream) {
    const auto outside = sys::open_directory(base_ / "outside");
    const auto root = sys::open_directory(base_ / "root");
    fs::permissions(base_ / "outside/canary", fs::perms(04640));
    std::ofstream(place() / "new") << "what was there, and longer than what comes";
    EXPECT_TRUE(copy_regular_file(outside, "/canary", root, "/place", "new", options_));
    EXPECT_EQ(sys::read_file(place() / "new"), "canary");
    EXPECT_EQ(static_cast<unsigned>(fs::status(place() / "new").permissions()), 04640U);
    EXPECT_EQ(fs::last_write_time(place() / "new"), fs::last_write_time(base_ / "outside/canary"));
    options_.drop_set_id = true;
    EXPECT_TRUE(copy_regular_file(outside, "canary", root, "place", "safe", options_));
    EXPECT_EQ(static_cast<unsigned>(fs::status(place() / "safe").permissions()), 0640U);
    EXPECT_EQ(std::distance(fs::directory_iterator(place()), {}), 2) << "nothing but the two is left";
}

TEST_F(TreeTar, LinksAndFoldersAreNoPlainFiles) {
    const auto outside = sys::open_directory(base_ / "outside");
    const auto root = sys::open_directory(base_ / "root");
    fs::create_symlink(base_ / "outside/canary", place() / "link");
    fs::create_symlink("canary", base_ / "outside/link");
    fs::create_directories(place() / "folder");
    EXPECT_FALSE(copy_regular_file(outside, "/canary", root, "/place", "link", options_));
    EXPECT_FALSE(copy_regular_file(outside, "/canary", root, "/place", "folder", options_));
    EXPECT_FALSE(copy_regular_file(outside, "/link", root, "/place", "x", options_));
    EXPECT_FALSE(copy_regular_file(outside, "/gone", root, "/place", "x", options_));
    fs::create_symlink("/outside", base_ / "root/out");
    EXPECT_FALSE(copy_regular_file(outside, "/canary", root, "/out", "x", options_)) << "no way out of the root";
    EXPECT_EQ(canary(), "canary");
    EXPECT_EQ(std::distance(fs::directory_iterator(place()), {}), 2);
}

TEST_F(TreeTar, NamesLeadNowhereElse) {
    EXPECT_NE(failure(TarBuilder().file("../up").end()), "");
    EXPECT_NE(failure(TarBuilder().file("a/../../up").end()), "");
    unpack(TarBuilder().file("/absolute", "x").end());
    EXPECT_EQ(sys::read_file(place() / "absolute"), "x");
    EXPECT_FALSE(fs::exists(base_ / "up"));
}

TEST_F(TreeTar, LinksOfTheRootAreFollowedInsideOfIt) {
    fs::create_directory_symlink(base_ / "outside", place() / "out");
    fs::create_symlink(base_ / "outside/canary", place() / "file");
    (void)failure(TarBuilder().file("out/canary", "evil").end());
    unpack(TarBuilder().file("file", "mine").end());
    EXPECT_EQ(canary(), "canary");
    EXPECT_EQ(sys::read_file(place() / "file"), "mine");
    EXPECT_FALSE(fs::is_symlink(place() / "file"));
}

TEST_F(TreeTar, LinksOfTheArchiveAreNoWayOut) {
    const auto outside = (base_ / "outside").string();
    (void)failure(TarBuilder().link('2', "door", outside).file("door/canary", "evil").end());
    EXPECT_EQ(canary(), "canary");
    EXPECT_NE(failure(TarBuilder().link('1', "hard", outside + "/canary").end()), "");
    EXPECT_NE(failure(TarBuilder().link('1', "hard", "../../x").end()), "");
}

TEST_F(TreeTar, FoldersAndFilesDoNotReplaceEachOther) {
    fs::create_directories(place() / "folder");
    std::ofstream(place() / "file") << "old";
    EXPECT_NE(failure(TarBuilder().file("folder").end()), "");
    EXPECT_NE(failure(TarBuilder().directory("file").end()), "");
    EXPECT_TRUE(fs::is_directory(place() / "folder"));
    EXPECT_EQ(sys::read_file(place() / "file"), "old");
}

TEST_F(TreeTar, FoldersAndFilesReplaceEachOtherWhereThatIsAsked) {
    options_.replace_kinds = true;
    fs::create_directories(place() / "folder/deep");
    std::ofstream(place() / "file") << "old";
    std::ofstream(place() / "above") << "old";
    fs::create_symlink(base_ / "outside", place() / "link");
    unpack(TarBuilder()
               .file("folder", "new")
               .directory("file")
               .file("file/below", "new")
               .file("above/below", "new")
               .directory("link")
               .file("link/canary", "new")
               .end());
    for (const char* name : {"folder", "file/below", "above/below", "link/canary"})
        EXPECT_EQ(sys::read_file(place() / name), "new") << name;
    EXPECT_FALSE(fs::is_symlink(place() / "link"));
    EXPECT_EQ(canary(), "canary");
}

TEST_F(TreeTar, SetIdBitsStayBehindWhereTheyWouldCount) {
    options_.drop_set_id = true;
    unpack(TarBuilder().file("tool", "x", 06755).end());
    EXPECT_EQ(static_cast<unsigned>(fs::status(place() / "tool").permissions()), 0755U);
}

TEST_F(TreeTar, WhatWasPackedComesOutTheSame) {
    fs::create_directories(base_ / "root/src/deep");
    std::ofstream(base_ / "root/src/deep/file") << "content";
    fs::create_symlink("deep/file", base_ / "root/src/link");
    ASSERT_EQ(::mkfifo((base_ / "root/src/pipe").c_str(), 0600), 0);
    {
        const auto out = sys::create_file(base_ / "archive");
        FdSink sink(out);
        pack_tree(sys::open_directory(base_ / "root"), "/src", sink, {.name = "renamed"});
        sink.flush();
    }
    unpack(sys::read_file(base_ / "archive"));
    EXPECT_EQ(sys::read_file(place() / "renamed/deep/file"), "content");
    EXPECT_EQ(fs::read_symlink(place() / "renamed/link"), "deep/file");
    EXPECT_TRUE(fs::is_fifo(place() / "renamed/pipe"));
}

}  // namespace
}  // namespace compose::image::test
