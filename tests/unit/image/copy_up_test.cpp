#include "image/copy_up.hpp"

#include <sys/xattr.h>

#include <gmock/gmock.h>

#include "fixture.hpp"
#include "image/config.hpp"
#include "image/import.hpp"

namespace compose::image::test {
namespace {

using ::testing::HasSubstr;

class CopyUpTest : public LayerTest {
protected:
    CopyUpTest() {
        fs::create_directories(target());
        TarBuilder lower;
        lower.directory("data", 0750)
            .file("data/a", "lower")
            .file("data/gone", "x")
            .directory("data/sub")
            .file("data/sub/deep", "deep", 04755);
        lower.link('1', "data/sub/hard", "data/a").link('2', "data/link", "/etc/shadow").link('2', "alias", "/data");
        lower.add({.name = "data/owned",
                   .data = "o",
                   .link = "",
                   .mode = 0600,
                   .owner = "0001750",
                   .group = "0001750",
                   .mtime = "00000000012",
                   .size = "",
                   .prefix = ""});
        lower.pax(TarBuilder::record("SCHILY.xattr.user.tag", "t")).file("data/tagged", "t");
        lower.directory("old")
            .file("old/x", "x")
            .link('2', "outside", "../../../../../../" + (root_ / "canary").string());
        lower.file("etc/passwd", "root:x:0:0::/root:/bin/sh\n").link('2', "passwd", "/etc/passwd");
        lower.add({.name = "pipe", .type = '6', .data = "", .link = "", .size = "", .prefix = ""});
        lower_ = unpack(lower.end()).chain_id;
        TarBuilder upper;
        upper.file("data/.wh.gone", "")
            .file("data/new", "upper")
            .directory("old")
            .file("old/.wh..wh..opq", "")
            .file("old/y", "y");
        upper_ = unpack(upper.end(), lower_).chain_id;
    }
    fs::path target() const { return root_ / "volume/_data"; }
    std::vector<std::string> both() const { return {layers() / upper_, layers() / lower_}; }
    std::vector<std::string> one() const { return {layers() / lower_}; }

    std::string lower_, upper_;
};

TEST_F(CopyUpTest, CopiesTheMergedDirectory) {
    ASSERT_TRUE(copy_up(both(), "/data", target()));
    EXPECT_EQ(sys::read_file(target() / "a"), "lower");
    EXPECT_EQ(sys::read_file(target() / "new"), "upper");
    EXPECT_FALSE(fs::exists(target() / "gone"));
    EXPECT_EQ(stat_of(target() / "sub/deep").st_mode & 07777U, 04755U);
    EXPECT_EQ(stat_of(target() / "a").st_ino, stat_of(target() / "sub/hard").st_ino);
    EXPECT_EQ(fs::read_symlink(target() / "link"), "/etc/shadow");
    EXPECT_EQ(stat_of(target() / "owned").st_uid, 01750U);
    EXPECT_EQ(stat_of(target() / "owned").st_mtime, 012);
    char value[8] = {};
    EXPECT_EQ(::lgetxattr((target() / "tagged").c_str(), "user.tag", value, sizeof value), 1);
    EXPECT_EQ(fs::directory_iterator(root_ / "volume")->path().filename(), "_data");
}

TEST_F(CopyUpTest, TheDirectoryItselfGivesOwnerAndMode) {
    ASSERT_TRUE(copy_up(one(), "/data", target()));
    EXPECT_EQ(stat_of(target()).st_mode & 07777U, 0750U);
    EXPECT_EQ(stat_of(target()).st_mtime, 014371573130);
    EXPECT_TRUE(fs::exists(target() / "gone"));
}

TEST_F(CopyUpTest, OpaqueDirectoriesHideWhatLiesBelow) {
    ASSERT_TRUE(copy_up(both(), "/old", target()));
    EXPECT_FALSE(fs::exists(target() / "x"));
    EXPECT_TRUE(fs::exists(target() / "y"));
}

TEST_F(CopyUpTest, LinksAreResolvedInsideTheImage) {
    ASSERT_TRUE(copy_up(both(), "/alias/sub", target()));
    EXPECT_TRUE(fs::exists(target() / "deep"));
    EXPECT_FALSE(copy_up(both(), "/outside", root_ / "other/_data")) << "the canary is not part of the image";
}

TEST_F(CopyUpTest, WhatIsNoDirectoryChangesNothing) {
    for (const auto* path : {"/missing", "/passwd", "/etc/passwd", "/pipe", "/data/a/x", "/outside"})
        EXPECT_FALSE(copy_up(both(), path, target())) << path;
    EXPECT_TRUE(fs::is_empty(target()));
    std::ofstream(target() / "mine") << "kept";
    EXPECT_FALSE(copy_up(both(), "/data", target()));
    EXPECT_EQ(sys::read_file(target() / "mine"), "kept");
    EXPECT_FALSE(fs::exists(target() / "a"));
}

TEST_F(CopyUpTest, ReadsFilesOfTheImage) {
    EXPECT_EQ(read_image_file(both(), "/passwd", 1000), "root:x:0:0::/root:/bin/sh\n");
    EXPECT_EQ(read_image_file(one(), "etc/passwd", 1000), "root:x:0:0::/root:/bin/sh\n");
    for (const auto* path : {"/missing", "/data", "/pipe", "/data/gone", "/outside/file", "/data/link"})
        EXPECT_FALSE(read_image_file(both(), path, 1000)) << path;
    EXPECT_THAT(message_of([&] { static_cast<void>(read_image_file(both(), "/etc/passwd", 5)); }),
                HasSubstr("larger than 5 bytes"));
}

TEST_F(CopyUpTest, LeavesNoMounts) {
    const auto before = sys::read_all(sys::open_file("/proc/self/mountinfo", O_RDONLY), 1 << 20);
    ASSERT_TRUE(copy_up(both(), "/data", target()));
    const auto after = sys::read_all(sys::open_file("/proc/self/mountinfo", O_RDONLY), 1 << 20);
    EXPECT_EQ(after.find(root_.string()), std::string::npos);
    EXPECT_EQ(before.find(root_.string()), std::string::npos);
}

using ImportTest = LayerTest;

TEST_F(ImportTest, MakesAnImageOfOneLayer) {
    const auto bytes = TarBuilder().directory("bin").file("bin/sh", "#!", 0755).end();
    sys::write_file(root_ / "archive", bytes);
    const auto import = [&](const std::vector<std::string>& changes) {
        const auto fd = sys::open_file(root_ / "archive", O_RDONLY);
        return make_imported_image(fd, layers(), changes, "a test", "2026-01-02T03:04:05Z");
    };
    const auto image = import({"CMD [\"/bin/sh\"]", "ENV A=b"});
    EXPECT_EQ(image.id, config_digest(image.config_json));
    ASSERT_EQ(image.layers.size(), 1U);
    EXPECT_TRUE(fs::exists(layers() / image.layers[0] / "bin/sh"));
    const auto config = parse_config(image.config_json);
    EXPECT_EQ(config.os, "linux");
    EXPECT_EQ(config.cmd, std::vector<std::string>{"/bin/sh"});
    EXPECT_EQ(config.history.at(0).comment, "a test");
    EXPECT_EQ(config.diff_ids.at(0), "sha256:" + image.layers[0]);
    EXPECT_EQ(import({"CMD [\"/bin/sh\"]", "ENV A=b"}).id, image.id);
    EXPECT_NE(import({}).id, image.id);
    EXPECT_THAT(message_of([&] { static_cast<void>(import({"NOPE x"})); }), HasSubstr("NOPE"));
}

}  // namespace
}  // namespace compose::image::test
