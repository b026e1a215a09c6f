#include <sys/wait.h>
#include <sys/xattr.h>

#include <atomic>
#include <random>
#include <thread>

#include <gmock/gmock.h>

#include "fixture.hpp"
#include "image/layer_writer.hpp"
#include "image/tar.hpp"
#include "sys/dir.hpp"
#include "sys/fd.hpp"
#include "sys/spool.hpp"

namespace compose::image::test {
namespace {

using ::testing::HasSubstr;

std::string xattr(const fs::path& path, const char* name) {
    char buffer[256];
    const auto size = ::lgetxattr(path.c_str(), name, buffer, sizeof buffer);
    return size < 0 ? "none" : std::string(buffer, static_cast<std::size_t>(size));
}

TEST_F(LayerTest, KeepsEverythingThatBelongsToAFile) {  // T15, T16, T21
    const std::string capability("\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
                                 20);
    TarBuilder tar;
    tar.directory("./", 0711);
    tar.directory("etc", 0750)
        .file("etc/f", "data", 04755)
        .link('2', "etc/l", "../nowhere")
        .link('1', "etc/h", "etc/f");
    tar.add({.name = "owned",
             .data = "",
             .link = "",
             .mode = 01777,
             .owner = "0001750",
             .group = "0003720",
             .mtime = "00000000012",
             .size = "",
             .prefix = ""});
    tar.add({.name = "pipe", .type = '6', .data = "", .link = "", .mode = 0620, .size = "", .prefix = ""});
    tar.pax(TarBuilder::record("SCHILY.xattr.security.capability", capability) +
            TarBuilder::record("SCHILY.xattr.user.x", "y"));
    tar.file("ping", "p", 0755);
    tar.pax(TarBuilder::record("mtime", "1.5"));
    tar.file("missing/parents/made", "m");
    const auto root = tree(tar.end());
    EXPECT_EQ(stat_of(root).st_mode & 07777U, 0711U);
    EXPECT_EQ(stat_of(root / "etc").st_mode & 07777U, 0750U);
    EXPECT_EQ(stat_of(root / "etc").st_mtime, 014371573130);
    EXPECT_EQ(stat_of(root / "etc/f").st_mode & 07777U, 04755U);
    EXPECT_EQ(stat_of(root / "etc/f").st_ino, stat_of(root / "etc/h").st_ino);
    EXPECT_EQ(fs::read_symlink(root / "etc/l"), "../nowhere");
    EXPECT_EQ(stat_of(root / "owned").st_uid, 01750U);
    EXPECT_EQ(stat_of(root / "owned").st_gid, 03720U);
    EXPECT_EQ(stat_of(root / "owned").st_mode & 07777U, 01777U);
    EXPECT_EQ(stat_of(root / "owned").st_mtime, 012);
    EXPECT_TRUE(S_ISFIFO(stat_of(root / "pipe").st_mode));
    EXPECT_EQ(stat_of(root / "pipe").st_mode & 07777U, 0620U);
    EXPECT_EQ(xattr(root / "ping", "security.capability"), capability);
    EXPECT_EQ(xattr(root / "ping", "user.x"), "y");
    EXPECT_EQ(stat_of(root / "missing/parents/made").st_mtim.tv_nsec, 500'000'000);
    EXPECT_EQ(stat_of(root / "missing").st_mode & 07777U, 0755U);
    EXPECT_TRUE(last_.warnings.empty());
    EXPECT_EQ(last_.size, 6);
}

TEST_F(LayerTest, HolesStayHoles) {
    const auto r = [](const char* key, const char* value) {
        return TarBuilder::record(std::string("GNU.sparse.") + key, value);
    };
    const auto root =
        tree(TarBuilder().pax(r("size", "1073741824") + r("map", "0,1,1073741823,1")).file("s", "ab").end());
    EXPECT_EQ(stat_of(root / "s").st_size, 1 << 30);
    EXPECT_LT(stat_of(root / "s").st_blocks, 100);
    std::ifstream file(root / "s");
    EXPECT_EQ(file.get(), 'a');
    file.seekg(-1, std::ios::end);
    EXPECT_EQ(file.get(), 'b');
}

TEST_F(LayerTest, NoNameLeadsOutside) {  // T01 to T05, T28, K38
    for (const auto* name : {"../x", "a/../../x", "..", "a/..", "./../canary/file"})
        EXPECT_THAT(error(TarBuilder().file(name).end()), HasSubstr("..")) << name;
    EXPECT_THAT(error(TarBuilder().file("").end()), HasSubstr("no name"));
    EXPECT_THAT(error(TarBuilder().file("./").end()), HasSubstr("root can only be a directory"));
    EXPECT_THAT(error(TarBuilder().pax(TarBuilder::record("path", std::string(256, 'c'))).file("x").end()),
                HasSubstr("255"));
    EXPECT_TRUE(fs::exists(tree(TarBuilder().file("/abs/x").end()) / "abs/x"));
    expect_canary();
}

TEST_F(LayerTest, LinksNeverLeadOutside) {  // T06 to T08, K38, K39
    const auto canary = (root_ / "canary").string();
    // Through an absolute link, one that climbs, and a chain: the path is meant inside the layer.
    EXPECT_TRUE(
        fs::exists(tree(TarBuilder().directory("etc").link('2', "a", "/etc").file("a/passwd").end()) / "etc/passwd"));
    EXPECT_TRUE(fs::exists(tree(TarBuilder().link('2', "a", "..").file("a/x").end()) / "x"));
    const auto climbing = TarBuilder().link('2', "a", "../../../../../.." + canary).file("a/evil").end();
    EXPECT_THAT(error(climbing), HasSubstr("symbolic link to nothing"));
    EXPECT_THAT(error(TarBuilder().link('2', "a", canary).file("a/evil").end()), HasSubstr("symbolic link to nothing"));
    EXPECT_THAT(error(TarBuilder().link('2', "a", canary).directory("a/evil").end()),
                HasSubstr("symbolic link to nothing"));
    TarBuilder chain;
    chain.directory("end");
    chain.link('2', "l0", "end");
    for (int i = 1; i <= 60; ++i) chain.link('2', fmt::format("l{}", i), fmt::format("l{}", i - 1));
    EXPECT_THAT(error(chain.file("l60/x").end()), HasSubstr("l60"));
    EXPECT_THAT(error(TarBuilder().link('2', "a", "b").link('2', "b", "a").file("a/x").end()), HasSubstr("a/x"));
    EXPECT_THAT(error(TarBuilder().link('2', "a", "/proc/self/root").file("a/x").end()), HasSubstr("symbolic link"));
    expect_canary();
}

TEST_F(LayerTest, ALinkIsReplacedNotFollowed) {  // T06, T11, T13, K39
    const auto canary = (root_ / "canary/file").string();
    auto root = tree(TarBuilder().link('2', "f", canary).file("f", "new").end());
    EXPECT_EQ(sys::read_file(root / "f"), "new");
    EXPECT_TRUE(S_ISREG(stat_of(root / "f").st_mode));
    root = tree(TarBuilder().link('2', "d", (root_ / "canary").string()).directory("d").file("d/x").end());
    EXPECT_TRUE(fs::exists(root / "d/x"));
    EXPECT_TRUE(S_ISDIR(stat_of(root / "d").st_mode));
    // A hard link to a link is a link; writing the name again makes a file of its own.
    root = tree(TarBuilder().link('2', "l", canary).link('1', "h", "l").file("h", "mine").end());
    EXPECT_EQ(sys::read_file(root / "h"), "mine");
    EXPECT_TRUE(fs::is_symlink(root / "l"));
    // A file over one of two names must leave the other alone.
    root = tree(TarBuilder().file("a", "old").link('1', "b", "a").file("a", "new").end());
    EXPECT_EQ(sys::read_file(root / "b"), "old");
    expect_canary();
}

TEST_F(LayerTest, HardLinksStayInside) {  // T09, T10, T12, K39
    for (const auto* target : {"../canary/file", "/../x", "missing", "/etc/shadow", "self"})
        EXPECT_NE(error(TarBuilder().link('1', "self", target).end()), "") << target;
    EXPECT_THAT(error(TarBuilder().directory("d").link('1', "h", "d").end()), HasSubstr("to a directory"));
    EXPECT_THAT(error(TarBuilder().link('1', "h", "later").file("later").end()),
                HasSubstr("not in the archive before it"));
    EXPECT_THAT(error(TarBuilder().link('1', "h", "").end()), HasSubstr("root"));
    const auto canary = (root_ / "canary").string();
    EXPECT_THAT(error(TarBuilder().link('2', "out", canary).link('1', "h", "out/file").end()), HasSubstr("hard link"));
    EXPECT_TRUE(fs::exists(
        tree(TarBuilder().file("a").link('1', "b", "a").link('1', "b", "a").link('1', "a", "a").end()) / "b"));
    expect_canary();
}

TEST_F(LayerTest, TheLastEntryOfANameWins) {  // T13, T14
    TarBuilder many;
    for (int i = 0; i < 1000; ++i) many.file("f", std::to_string(i));
    EXPECT_EQ(sys::read_file(tree(many.end()) / "f"), "999");
    const auto root = tree(TarBuilder().directory("x").file("x/y").file("x", "file").directory("x").file("x/z").end());
    EXPECT_TRUE(fs::exists(root / "x/z"));
    EXPECT_FALSE(fs::exists(root / "x/y"));
    EXPECT_EQ(
        stat_of(tree(TarBuilder().directory("d", 0700).file("d/x").directory("d", 0755).end()) / "d").st_mode & 07777U,
        0755U);
    EXPECT_NE(error(TarBuilder().file("x").file("x/y").end()), "");
}

TEST_F(LayerTest, NodesAndOrdersToTheOverlayAreLeftOut) {  // T15, T20, T21
    TarBuilder tar;
    tar.node("disk", '4', 254, 0).node("mem", '3', 1, 1).node("hidden", '3', 0, 0).node("dev/null", '3', 1, 3);
    tar.add({.name = "odd", .type = 'Z', .data = "skipped", .link = "", .size = "", .prefix = ""});
    tar.pax(TarBuilder::record("SCHILY.xattr.trusted.overlay.redirect", "/etc") +
            TarBuilder::record("SCHILY.xattr.trusted.overlay.opaque", "y") +
            TarBuilder::record("SCHILY.xattr.user.overlay.opaque", "y") +
            TarBuilder::record("SCHILY.xattr.security.selinux", "label"));
    tar.directory("d");
    tar.pax(TarBuilder::record("SCHILY.xattr.security.capability", "garbage") +
            TarBuilder::record("SCHILY.xattr.system.posix_acl_access", "bad") +
            TarBuilder::record("SCHILY.xattr.user.big", std::string(700'000, 'b')));
    tar.file("f").file("last");
    const auto root = tree(tar.end());
    for (const auto* name : {"disk", "mem", "hidden", "dev/null", "odd"})
        EXPECT_FALSE(fs::exists(fs::symlink_status(root / name))) << name;
    EXPECT_EQ(xattr(root / "d", "trusted.overlay.redirect"), "none");
    EXPECT_EQ(xattr(root / "d", "trusted.overlay.opaque"), "none");
    EXPECT_EQ(xattr(root / "d", "user.overlay.opaque"), "none");
    EXPECT_EQ(xattr(root / "f", "security.capability"), "none");
    EXPECT_TRUE(fs::exists(root / "last"));
    const auto all = fmt::format("{}", fmt::join(last_.warnings, "\n"));
    EXPECT_THAT(all, HasSubstr("\"disk\" (block 254:0)"));
    EXPECT_THAT(all, HasSubstr("unknown type"));
    EXPECT_THAT(all, HasSubstr("steer the overlay"));
    EXPECT_THAT(all, HasSubstr("user.big"));
    EXPECT_EQ(all.find("dev/null"), std::string::npos);
}

TEST_F(LayerTest, ThousandsOfAttributes) {  // T21
    std::string records;
    for (int i = 0; i < 10'000; ++i) records += TarBuilder::record(fmt::format("SCHILY.xattr.user.a{}", i), "value");
    const auto root = tree(TarBuilder().pax(records).file("f").file("last").end());
    EXPECT_TRUE(fs::exists(root / "last"));
    EXPECT_LT(last_.warnings.size(), 40U);
    // A root, and nothing in it (T04).
    EXPECT_TRUE(fs::is_empty(tree(TarBuilder().directory("./").end())));
}

TEST_F(LayerTest, WarningsAreBounded) {
    TarBuilder tar;
    for (int i = 0; i < 1000; ++i)
        tar.add({.name = fmt::format("odd{}", i), .type = 'Z', .data = "", .link = "", .size = "", .prefix = ""});
    tree(tar.end());
    EXPECT_LT(last_.warnings.size(), 40U);
    EXPECT_THAT(last_.warnings.back(), HasSubstr("more warnings"));
}

TEST_F(LayerTest, WhiteoutsBecomeTheOverlaysOwn) {  // T19
    const auto below = unpack(TarBuilder().file("base").end()).chain_id;
    TarBuilder tar;
    tar.directory("a").file("a/.wh.gone", "").file("a/.wh..wh..opq", "").file("a/sibling");
    tar.file(".wh..wh.plnk", "").file(".wh.both", "").file("both", "here").file("first", "x").file(".wh.first", "");
    tar.file(".wh.dir", "")
        .directory("dir")
        .file("dir/new")
        .directory("dir2")
        .file(".wh.dir2", "")
        .file("b/.wh.deep", "");
    const auto root = tree(tar.end(), below);
    const auto is_whiteout = [&](const char* name) {
        const auto info = stat_of(root / name);
        return S_ISCHR(info.st_mode) && info.st_rdev == 0;
    };
    EXPECT_TRUE(is_whiteout("a/gone"));
    EXPECT_TRUE(is_whiteout("b/deep"));
    EXPECT_EQ(xattr(root / "a", "trusted.overlay.opaque"), "y");
    EXPECT_TRUE(fs::exists(root / "a/sibling"));
    EXPECT_EQ(sys::read_file(root / "both"), "here");
    EXPECT_EQ(sys::read_file(root / "first"), "x");
    EXPECT_EQ(xattr(root / "dir", "trusted.overlay.opaque"), "y");
    EXPECT_EQ(xattr(root / "dir2", "trusted.overlay.opaque"), "y");
    EXPECT_TRUE(fs::exists(root / "dir/new"));
    for (const auto& entry : fs::recursive_directory_iterator(root))
        EXPECT_EQ(entry.path().filename().string().find(".wh."), std::string::npos) << entry.path();
    // The lowest layer has nothing to hide.
    EXPECT_TRUE(fs::is_empty(tree(TarBuilder().file(".wh.x", "").file(".wh..wh..opq", "").end())));
    for (const auto& entry : fs::directory_iterator(layers())) fs::remove_all(entry.path());
    for (const auto* name : {".wh.", ".wh..", ".wh...", "d/.wh..."})
        EXPECT_THAT(error(TarBuilder().file(name, "").end()), HasSubstr("removes no name")) << name;
    EXPECT_NE(error(TarBuilder().link('2', "l", (root_ / "canary").string()).file("l/.wh.file", "").end()), "");
    expect_canary();
}

TEST_F(LayerTest, OddNamesAreNames) {  // T28, T29
    std::string deep;
    for (int i = 0; i < 2000; ++i) deep += "d/";
    TarBuilder tar;
    tar.file("new\nline").file("\xff\xfe not text").file("Case").file("case").file(std::string(100, 'n'));
    tar.pax(TarBuilder::record("path", deep + "end")).file("x");
    const auto root = tree(tar.end());
    EXPECT_TRUE(fs::exists(root / "new\nline"));
    EXPECT_TRUE(fs::exists(root / "\xff\xfe not text"));
    EXPECT_TRUE(fs::exists(root / "Case") && fs::exists(root / "case"));
    EXPECT_EQ(remove_unused_layers(layers(), std::vector<std::string>{}).size(), 1U);
    EXPECT_TRUE(names().empty());
}

TEST_F(LayerTest, OddNumbersAreClamped) {  // T16, T18
    TarBuilder tar;
    std::string far(12, '\xff');
    far[0] = '\x80';
    for (std::size_t i = 1; i < 5; ++i) far[i] = '\0';
    far[4] = '\x7f';
    tar.add({.name = "past",
             .data = "",
             .link = "",
             .mode = 07777,
             .mtime = std::string(12, '\xff'),
             .size = "",
             .prefix = ""});
    tar.add({.name = "future",
             .data = "",
             .link = "",
             .mtime = std::string("\x80\0\0\0\x7f", 5) + std::string(7, '\xff'),
             .size = "",
             .prefix = ""});
    const auto root = tree(tar.end());
    EXPECT_EQ(stat_of(root / "past").st_mtime, -1);
    EXPECT_EQ(stat_of(root / "past").st_mode & 07777U, 07777U);
    EXPECT_GT(stat_of(root / "future").st_mtime, 2'000'000'000);
}

TEST_F(LayerTest, AKilledUnpackLeavesOnlyWhatTheNextOneRemoves) {
    auto pipe = sys::make_pipe();
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
        pipe.write.reset();
        try {
            static_cast<void>(unpack_layer(pipe.read, layers()));
        } catch (...) {
        }
        ::_exit(0);
    }
    pipe.read.reset();
    // More than the buffers between the threads hold, so that files are there, and no end.
    TarBuilder tar;
    for (int i = 0; i < 100; ++i) tar.file(fmt::format("dir/f{}", i), std::string(100'000, 'x'));
    sys::write_all(pipe.write, tar.bytes());
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    const auto unpacked = [&] {
        for (const auto& name : names())
            if (fs::exists(layers() / name / "dir/f5")) return true;
        return false;
    };
    while (!unpacked() && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ASSERT_TRUE(unpacked());
    // While its maker lives, nobody removes it.
    EXPECT_TRUE(remove_unused_layers(layers(), std::vector<std::string>{}).empty());
    ASSERT_EQ(names().size(), 1U);
    EXPECT_TRUE(names()[0].starts_with("tmp-"));
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    EXPECT_EQ(names().size(), 1U);
    const auto layer = unpack(TarBuilder().file("good").end());
    EXPECT_EQ(names(), std::vector<std::string>{layer.chain_id});
}

TEST_F(LayerTest, GivesUpWithoutWaitingForASilentPipe) {  // K37
    auto pipe = sys::make_pipe();
    sys::write_all(pipe.write, TarBuilder().file("../evil").bytes());
    sys::write_all(pipe.write, std::string(600'000, '\0').substr(0, 60'000));
    const auto start = std::chrono::steady_clock::now();
    std::atomic<bool> over{false};
    std::thread unpacks([&] {
        EXPECT_THROW(static_cast<void>(unpack_layer(pipe.read, layers())), Error);
        over = true;
    });
    // The reader gathers a full buffer before it hands over: feed it, however slow it is, then stay silent with the
    // pipe open.
    sys::set_nonblocking(pipe.write, true);
    const std::string zeros(65536, '\0');
    for (std::int64_t sent = 0; sent < 655'360 && !over;) {
        const auto taken = sys::append_some(pipe.write, zeros);
        if (taken > 0)
            sent += taken;
        else
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    unpacks.join();
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
    EXPECT_TRUE(names().empty());
}

TEST_F(LayerTest, LayersInUseOrLeasedStay) {
    const auto a = unpack(TarBuilder().file("a").end()).chain_id;
    const auto b = unpack(TarBuilder().file("b").end()).chain_id;
    fs::create_directory(layers() / "someone-elses");
    {
        const LayerLease lease(layers());
        EXPECT_TRUE(remove_unused_layers(layers(), std::vector<std::string>{}).empty());
    }
    EXPECT_EQ(remove_unused_layers(layers(), std::vector<std::string>{a}), std::vector<std::string>{b});
    EXPECT_TRUE(fs::exists(layers() / a / "a"));
    EXPECT_FALSE(fs::exists(layers() / b));
    EXPECT_TRUE(fs::exists(layers() / "someone-elses"));
}

TEST_F(LayerTest, SeveralUnpackTheSameLayerAtOnce) {
    TarBuilder tar;
    for (int i = 0; i < 200; ++i) tar.file(fmt::format("f{}", i), "data");
    const auto bytes = tar.end();
    sys::write_file(root_ / "shared", bytes);
    std::vector<std::thread> threads;
    std::atomic<int> failures{0};
    for (int i = 0; i < 6; ++i)
        threads.emplace_back([&] {
            try {
                const auto fd = sys::open_file(root_ / "shared", O_RDONLY);
                static_cast<void>(unpack_layer(fd, layers()));
            } catch (const Error& error) {
                std::fprintf(stderr, "%s\n", error.what());
                ++failures;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(failures, 0);
    ASSERT_EQ(names().size(), 1U);
    EXPECT_TRUE(fs::exists(layers() / names()[0] / "f199"));
}

TEST_F(LayerTest, MutatedArchivesNeitherCrashNorEscape) {
    const std::string canary = (root_ / "canary").string();
    TarBuilder tar;
    tar.directory("d").file("d/f", std::string(700, 'd')).link('2', "l", canary).link('1', "h", "d/f").file("l2/x");
    tar.pax(TarBuilder::record("path", "pax/name") + TarBuilder::record("SCHILY.xattr.user.a", "b")).file("x", "y");
    tar.pax(TarBuilder::record("GNU.sparse.size", "600") + TarBuilder::record("GNU.sparse.map", "0,2,500,2"))
        .file("sp", "abcd");
    tar.add({.name = "@", .type = 'L', .data = "long/name", .link = "", .size = "", .prefix = ""})
        .file("y")
        .file(".wh.gone", "");
    const auto whole = tar.end();
    std::mt19937 random(42);
    int failed = 0;
    for (int round = 0; round < 1000; ++round) {
        auto bytes = whole;
        const auto changes = 1 + random() % 6;
        for (unsigned i = 0; i < changes; ++i) {
            const auto at = random() % bytes.size();
            switch (random() % 4) {
                case 0:
                    bytes[at] = static_cast<char>(random());
                    break;
                case 1:
                    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
                    break;
                case 2:
                    bytes.replace(at, std::min<std::size_t>(4, bytes.size() - at), "/../",
                                  std::min<std::size_t>(4, bytes.size() - at));
                    break;
                default:
                    bytes.resize(std::max<std::size_t>(at, 1));
                    break;
            }
        }
        // Right checksums, so that more than the checksum is tested.
        for (std::size_t at = 0; at + 512 <= bytes.size() && round % 4 != 0; at += 512)
            if (bytes.compare(at + 257, 5, "ustar") == 0)
                bytes.replace(at, 512, TarBuilder::finish(bytes.substr(at, 512)));
        MemorySource source(bytes);
        TarReader reader(source);
        const auto target = root_ / "fuzz";
        fs::create_directory(target);
        try {
            const auto dir = sys::open_directory(target);
            LayerWriter writer(dir, round % 2 == 0);
            TarEntry entry;
            while (reader.next(entry)) writer.write(entry, reader);
            writer.finish();
        } catch (const Error&) {
            ++failed;
        }
        sys::remove_tree(target);
        ASSERT_FALSE(fs::exists(target));
    }
    EXPECT_GT(failed, 100);
    EXPECT_LT(failed, 1000);
    expect_canary();
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(root_)) {
        static_cast<void>(entry);
        ++count;
    }
    EXPECT_EQ(count, 2U);
}

}  // namespace
}  // namespace compose::image::test
