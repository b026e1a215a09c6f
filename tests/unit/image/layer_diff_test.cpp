// From folders to tars and back: what a layer's tar says is what the folder is.
#include "image/layer_diff.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <gmock/gmock.h>

#include "base/digest.hpp"
#include "fixture.hpp"
#include "image/tar_writer.hpp"
#include "sys/command.hpp"
#include "sys/dir.hpp"

namespace compose::image::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StringSink final : public ByteSink {
public:
    void write(std::string_view bytes) override { text += bytes; }
    std::string text;
};

std::string tar_of(const fs::path& folder, const LayerTarOptions& options = {}) {
    StringSink sink;
    write_layer_tar(sys::open_directory(folder), sink, options);
    return sink.text;
}

std::vector<std::string> names_in(const std::string& tar) {
    MemorySource source(tar);
    TarReader reader(source);
    TarEntry entry;
    std::vector<std::string> out;
    while (reader.next(entry)) out.push_back(entry.name);
    return out;
}

/// Kind, mode, owner, time, links, attributes and content of everything below `top`.
std::string describe(const fs::path& top) {
    std::map<std::string, std::string> lines;
    std::map<ino_t, std::string> inodes;
    std::vector<fs::path> paths;
    for (const auto& item : fs::recursive_directory_iterator(top)) paths.push_back(item.path());
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) {
        const auto name = fs::relative(path, top).string();
        struct stat s {};
        ::lstat(path.c_str(), &s);
        auto line = fmt::format("{:o} {}:{}", s.st_mode, s.st_uid, s.st_gid);
        if (!S_ISCHR(s.st_mode)) line += fmt::format(" {}.{:09}", s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
        if (S_ISLNK(s.st_mode)) line += " -> " + fs::read_symlink(path).string();
        if (S_ISREG(s.st_mode)) {
            line += " " + sha256_hex(sys::read_file(path));
            const auto [first, fresh] = inodes.emplace(s.st_ino, name);
            if (!fresh) line += " = " + first->second;
        }
        if (S_ISCHR(s.st_mode)) line += fmt::format(" {}:{}", major(s.st_rdev), minor(s.st_rdev));
        for (const char* attribute : {"user.x", "security.capability", "trusted.overlay.opaque"}) {
            char value[64];
            const auto size = ::lgetxattr(path.c_str(), attribute, value, sizeof value);
            if (size >= 0) line += fmt::format(" {}={}", attribute, sha256_hex({value, static_cast<size_t>(size)}));
        }
        lines[name] = line;
    }
    std::string out;
    for (const auto& [name, line] : lines) out += name + " " + line + "\n";
    return out;
}

class LayerDiffTest : public LayerTest {
protected:
    /// A folder with one of everything that a layer may hold.
    fs::path sample() {
        const auto top = root_ / "upper";
        fs::create_directories(top / "b/inner");
        fs::permissions(top, fs::perms{0755});
        std::ofstream(top / "b/file") << std::string(70'000, 'f');
        std::ofstream(top / "a") << "";
        std::ofstream(top / "b/inner" / std::string(200, 'n')) << "long";
        fs::create_directories(top / std::string(90, 'd') / std::string(90, 'e'));
        std::ofstream(top / std::string(90, 'd') / std::string(90, 'e') / "split") << "prefix";
        std::ofstream(top / "\xc3\xbcmlaut") << "u";
        fs::create_hard_link(top / "b/file", top / "z-link");
        fs::create_symlink("../" + std::string(150, 't'), top / "b/sym");
        EXPECT_EQ(::mkfifo((top / "pipe").c_str(), 0640), 0);
        EXPECT_EQ(::chmod((top / "b/file").c_str(), 04751), 0);
        EXPECT_EQ(::chown((top / "a").c_str(), 3'000'000, 70'000), 0);
        EXPECT_EQ(::chmod((top / "b/inner").c_str(), 01777), 0);
        EXPECT_EQ(::lsetxattr((top / "a").c_str(), "user.x", "value\n=", 7, 0), 0);
        const std::string capability("\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
                                     20);
        EXPECT_EQ(::lsetxattr((top / "b/file").c_str(), "security.capability", capability.data(), 20, 0), 0);
        const timespec times[2] = {{-7, 250'000'000}, {-7, 250'000'000}};
        EXPECT_EQ(::utimensat(AT_FDCWD, (top / "a").c_str(), times, 0), 0);
        return top;
    }
    void add_marks(const fs::path& top) {
        EXPECT_EQ(::mknod((top / "gone").c_str(), S_IFCHR, makedev(0, 0)), 0);
        EXPECT_EQ(::lsetxattr((top / "b").c_str(), "trusted.overlay.opaque", "y", 1, 0), 0);
        EXPECT_EQ(::lsetxattr((top / "b").c_str(), "trusted.overlay.origin", "o", 1, 0), 0);
    }
};

TEST_F(LayerDiffTest, OurOwnReaderMakesTheSameFolderOfIt) {
    const auto top = sample();
    add_marks(top);
    const auto before = describe(top);
    const auto lowest = unpack(TarBuilder().directory("b").file("gone").end());
    EXPECT_EQ(describe(tree(tar_of(top), lowest.chain_id)), before);
}

TEST_F(LayerDiffTest, GnuTarReadsTheSame) {
    const auto top = sample();
    sys::write_file(root_ / "archive", tar_of(top));
    fs::create_directories(root_ / "gnu");
    const auto done = sys::run_command({.argv = {"tar", "-xpf", root_ / "archive", "--xattrs", "--xattrs-include=*",
                                                 "--numeric-owner", "-C", root_ / "gnu"}});
    ASSERT_TRUE(done.ok()) << done.err;
    EXPECT_EQ(describe(root_ / "gnu"), describe(top));
}

TEST_F(LayerDiffTest, TheSameFolderGivesTheSameBytes) {
    const auto top = sample();
    add_marks(top);
    const auto once = tar_of(top);
    const auto done = sys::run_command({.argv = {"cp", "-a", top, root_ / "copy"}});
    ASSERT_TRUE(done.ok()) << done.err;
    // Another order of names in the directory, other inodes.
    fs::rename(root_ / "copy/a", root_ / "copy/zz");
    fs::rename(root_ / "copy/zz", root_ / "copy/a");
    const auto info = stat_of(top);
    const timespec times[2] = {info.st_mtim, info.st_mtim};
    EXPECT_EQ(::utimensat(AT_FDCWD, (root_ / "copy").c_str(), times, 0), 0);
    EXPECT_EQ(sha256_hex(tar_of(root_ / "copy")), sha256_hex(once));
}

TEST_F(LayerDiffTest, MarksOfRemovedNamesAreOcis) {
    const auto top = root_ / "upper";
    fs::create_directories(top / "d/e");
    fs::permissions(top, fs::perms{0755});
    std::ofstream(top / "d/f") << "x";
    EXPECT_EQ(::mknod((top / "d/gone").c_str(), S_IFCHR, makedev(0, 0)), 0);
    EXPECT_EQ(::lsetxattr((top / "d").c_str(), "trusted.overlay.opaque", "y", 1, 0), 0);
    EXPECT_THAT(names_in(tar_of(top)), ElementsAre("d/", "d/.wh..wh..opq", "d/e/", "d/f", "d/.wh.gone"));
}

TEST_F(LayerDiffTest, SocketsAndNodesAreLeftOutAndLaterTimesAreClamped) {
    const auto top = root_ / "upper";
    fs::create_directories(top);
    fs::permissions(top, fs::perms{0700});
    std::ofstream(top / "new") << "x";
    std::ofstream(top / "old") << "x";
    EXPECT_EQ(::mknod((top / "null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
    EXPECT_EQ(::mknod((top / "socket").c_str(), S_IFSOCK | 0666, 0), 0);
    const timespec times[2] = {{50, 5}, {50, 5}};
    EXPECT_EQ(::utimensat(AT_FDCWD, (top / "old").c_str(), times, 0), 0);
    const auto tar = tar_of(top, {.clamp_time = 1000});
    MemorySource source(tar);
    TarReader reader(source);
    TarEntry entry;
    std::vector<std::string> seen;
    while (reader.next(entry)) seen.push_back(fmt::format("{} {}.{}", entry.name, entry.mtime_s, entry.mtime_ns));
    EXPECT_THAT(seen, ElementsAre("./ 1000.0", "new 1000.0", "old 50.5"));
}

TEST_F(LayerDiffTest, AdoptsAFolderWithoutCopyingIt) {
    const auto top = sample();
    const auto inode = stat_of(top / "b/file").st_ino;
    const auto tar = tar_of(top);
    const auto layer = adopt_layer(top, layers(), "");
    EXPECT_EQ(layer.diff_id, "sha256:" + sha256_hex(tar));
    EXPECT_EQ(layer.chain_id, sha256_hex(tar));
    EXPECT_EQ(layer.size, 70'000 + 4 + 6 + 1);
    EXPECT_FALSE(fs::exists(top));
    EXPECT_EQ(stat_of(layers() / layer.chain_id / "b/file").st_ino, inode);
    // The tar that somebody else unpacks is the same layer.
    EXPECT_EQ(unpack(tar).chain_id, layer.chain_id);
}

TEST_F(LayerDiffTest, AdoptingWhatIsThereKeepsTheOldOne) {
    fs::create_directories(root_ / "one");
    fs::permissions(root_ / "one", fs::perms{0755});
    std::ofstream(root_ / "one/f") << "x";
    ASSERT_TRUE(sys::run_command({.argv = {"cp", "-a", root_ / "one", root_ / "two"}}).ok());
    const auto parent = std::string(64, 'a');
    const auto first = adopt_layer(root_ / "one", layers(), parent);
    const auto inode = stat_of(layers() / first.chain_id / "f").st_ino;
    const auto second = adopt_layer(root_ / "two", layers(), parent);
    EXPECT_EQ(first.chain_id, second.chain_id);
    EXPECT_EQ(first.chain_id, sha256_hex(fmt::format("sha256:{} {}", parent, first.diff_id)));
    EXPECT_EQ(stat_of(layers() / first.chain_id / "f").st_ino, inode);
    EXPECT_FALSE(fs::exists(root_ / "two"));
    EXPECT_THAT(message_of([&] { static_cast<void>(adopt_layer(root_ / "x", layers(), "../up")); }),
                HasSubstr("not a chain id"));
}

TEST(TarWriterTest, RefusesWhatHasNoPlaceInATar) {
    StringSink sink;
    TarWriter tar(sink);
    TarEntry entry;
    EXPECT_THROW(tar.add(entry), Error);
    entry.name = std::string("a\0b", 3);
    EXPECT_THROW(tar.add(entry), Error);
    entry.name = "a";
    entry.size = -1;
    EXPECT_THROW(tar.add(entry), Error);
    entry.size = 3;
    tar.add(entry);
    EXPECT_THROW(tar.data("four"), Error);
    EXPECT_THROW(tar.finish(), Error) << "data is missing";
    tar.data("abc");
    tar.finish();
    EXPECT_EQ(sink.text.size() % 512, 0U);
}

TEST(TarWriterTest, NumbersThatDoNotFitAHeaderReadBack) {
    StringSink sink;
    TarWriter tar(sink);
    TarEntry entry;
    entry.type = TarType::symlink;
    entry.name = "l";
    entry.link = std::string(300, 'x');
    entry.owner = 4'294'967'294;
    entry.group = 2'097'152;
    entry.mtime_s = 99'999'999'999;
    entry.mtime_ns = 1;
    tar.add(entry);
    entry.type = TarType::directory;
    entry.link.clear();
    entry.name = std::string(99, 'd');
    tar.add(entry);
    tar.finish();
    MemorySource source(sink.text);
    TarReader reader(source);
    TarEntry read;
    ASSERT_TRUE(reader.next(read));
    EXPECT_EQ(read.owner, 4'294'967'294U);
    EXPECT_EQ(read.group, 2'097'152U);
    EXPECT_EQ(read.mtime_s, 99'999'999'999);
    EXPECT_EQ(read.mtime_ns, 1);
    EXPECT_EQ(read.link, std::string(300, 'x'));
    ASSERT_TRUE(reader.next(read));
    EXPECT_EQ(read.name, std::string(99, 'd') + "/");
    EXPECT_FALSE(reader.next(read));
}

}  // namespace
}  // namespace compose::image::test
