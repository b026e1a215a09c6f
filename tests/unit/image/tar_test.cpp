#include "image/tar.hpp"

#include <gmock/gmock.h>

#include "fixture.hpp"

namespace compose::image::test {
namespace {

using ::testing::HasSubstr;

struct Read {
    TarEntry entry;
    std::string data;
};

std::vector<Read> read(const std::string& bytes) {
    MemorySource source(bytes);
    TarReader reader(source);
    std::vector<Read> out;
    TarEntry entry;
    while (reader.next(entry)) {
        out.push_back({entry, {}});
        for (auto data = reader.data(); !data.empty(); data = reader.data()) {
            out.back().data += data;
            reader.consume(data.size());
        }
    }
    EXPECT_TRUE(source.peek().empty());
    return out;
}

std::string fail(const std::string& bytes) {
    return message_of([&] { read(bytes); });
}

TEST(Tar, ReadsTheOldFormats) {
    TarBuilder tar;
    tar.file("plain", "hello", 04755).directory("dir/").link('2', "link", "plain").link('1', "hard", "plain");
    tar.add({.name = "file",
             .data = "d",
             .link = "",
             .size = "",
             .magic = std::string("ustar\0"
                                  "00",
                                  8),
             .prefix = "a/long/prefix"});
    tar.add({.name = "v7", .type = '\0', .data = "v", .link = "", .size = "", .magic = "", .prefix = "junk"});
    tar.add({.name = "v7dir/", .type = '\0', .data = "", .link = "", .size = "", .magic = "", .prefix = ""});
    tar.add(
        {.name = "gnu", .data = "g", .link = "", .size = "", .magic = std::string("ustar  \0", 8), .prefix = "atime"});
    tar.add({.name = "contiguous", .type = '7', .data = "c", .link = "", .size = "", .prefix = ""});
    const auto all = read(tar.end());
    ASSERT_EQ(all.size(), 9U);
    EXPECT_EQ(all[0].data, "hello");
    EXPECT_EQ(all[0].entry.mode, 04755U);
    EXPECT_EQ(all[0].entry.mtime_s, 014371573130);
    EXPECT_EQ(all[1].entry.type, TarType::directory);
    EXPECT_EQ(all[2].entry.type, TarType::symlink);
    EXPECT_EQ(all[2].entry.link, "plain");
    EXPECT_EQ(all[3].entry.type, TarType::hard_link);
    EXPECT_EQ(all[4].entry.name, "a/long/prefix/file");
    EXPECT_EQ(all[5].entry.name, "v7");
    EXPECT_EQ(all[6].entry.type, TarType::directory);
    EXPECT_EQ(all[7].entry.name, "gnu");
    EXPECT_EQ(all[8].data, "c");
}

TEST(Tar, ReadsLongNamesAndExtendedHeaders) {
    const std::string name(3000, 'n'), link(2000, 'l');
    TarBuilder tar;
    tar.add({.name = "././@LongLink", .type = 'L', .data = name + '\0', .link = "", .size = "", .prefix = ""});
    tar.add({.name = "././@LongLink", .type = 'K', .data = link + '\0', .link = "", .size = "", .prefix = ""});
    tar.link('2', "short", "short");
    tar.pax(TarBuilder::record("comment", "global"), 'g');
    tar.pax(TarBuilder::record("path", "päx") + TarBuilder::record("mtime", "-1.25") +
            TarBuilder::record("uid", "4000000000") + TarBuilder::record("gid", "70000") +
            TarBuilder::record("SCHILY.xattr.user.a", std::string("b\0c\n", 4)) +
            TarBuilder::record("SCHILY.xattr.", "empty") + TarBuilder::record("size", "5"));
    tar.add({.name = "x", .data = "12345", .link = "", .size = "00000000777", .prefix = ""});
    tar.file("after");
    const auto all = read(tar.end());
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].entry.name, name);
    EXPECT_EQ(all[0].entry.link, link);
    EXPECT_EQ(all[1].entry.name, "päx");
    EXPECT_EQ(all[1].entry.mtime_s, -2);
    EXPECT_EQ(all[1].entry.mtime_ns, 750'000'000);
    EXPECT_EQ(all[1].entry.owner, 4'000'000'000U);
    EXPECT_EQ(all[1].entry.group, 70'000U);
    EXPECT_EQ(all[1].entry.xattrs.at("user.a"), std::string("b\0c\n", 4));
    EXPECT_EQ(all[1].entry.xattrs.size(), 1U);
    EXPECT_EQ(all[1].data, "12345");
    EXPECT_TRUE(all[2].entry.xattrs.empty());
}

std::string base256(std::int64_t value, std::size_t size) {
    std::string out(size, value < 0 ? '\xff' : '\0');
    for (std::size_t i = 0; i < 8 && i < size; ++i) out[size - 1 - i] = static_cast<char>(value >> (8 * i));
    out[0] = static_cast<char>(static_cast<unsigned char>(out[0]) | 0x80U);
    return out;
}

TEST(Tar, ReadsNumbersInBothForms) {  // T17, T18
    TarBuilder tar;
    tar.add({.name = "a",
             .data = "xyz",
             .link = "",
             .owner = base256(3'000'000'000, 8),
             .mtime = base256(-5, 12),
             .size = base256(3, 12),
             .prefix = ""});
    tar.add({.name = "b",
             .data = "",
             .link = "",
             .owner = "  1750 ",
             .mtime = base256(INT64_MAX, 12),
             .size = "",
             .prefix = ""});
    const auto all = read(tar.end());
    EXPECT_EQ(all[0].entry.owner, 3'000'000'000U);
    EXPECT_EQ(all[0].entry.mtime_s, -5);
    EXPECT_EQ(all[0].data, "xyz");
    EXPECT_EQ(all[1].entry.owner, 01750U);
    EXPECT_EQ(all[1].entry.mtime_s, INT64_MAX);
}

TEST(Tar, RefusesNumbersThatAreNone) {  // T17, T18, T25
    const Header bad[] = {
        {.name = "size", .data = "", .link = "", .size = base256(-1, 12), .prefix = ""},
        {.name = "size",
         .data = "",
         .link = "",
         .size = std::string("\x80\x7f") + std::string(10, '\xff'),
         .prefix = ""},
        {.name = "size", .data = "", .link = "", .size = "0000000000x", .prefix = ""},
        {.name = "size", .data = "", .link = "", .size = "99999999999", .prefix = ""},
        {.name = "size", .data = "", .link = "", .size = "77777777777", .prefix = ""},
        {.name = "owner", .data = "", .link = "", .owner = base256(-1, 8), .size = "", .prefix = ""},
        {.name = "owner", .data = "", .link = "", .owner = base256(0x1'0000'0000, 8), .size = "", .prefix = ""},
        {.name = "owner", .data = "", .link = "", .owner = base256(0xffffffff, 8), .size = "", .prefix = ""},
        {.name = "mtime", .data = "", .link = "", .mtime = "12 34567890", .size = "", .prefix = ""},
    };
    for (const auto& header : bad) EXPECT_THAT(fail(TarBuilder().add(header).end()), HasSubstr(header.name));
}

TEST(Tar, RefusesBrokenArchives) {  // T25, T26
    const auto whole = TarBuilder().file("first", "data").file("second", std::string(1000, 's')).end();
    EXPECT_EQ(fail(""), "the archive is empty");
    EXPECT_EQ(fail(std::string(600, 'x')), "this is not a tar archive");
    EXPECT_EQ(fail("short"), "this is not a tar archive");
    auto flipped = whole;
    flipped[1024] ^= 1;
    EXPECT_THAT(fail(flipped), HasSubstr("entry \"first\": the header after it has a wrong checksum"));
    for (const std::size_t size : {513UL, 1023UL, 1100UL, 1600UL})
        EXPECT_THAT(fail(whole.substr(0, size)), HasSubstr("ends too early")) << size;
    // Without end blocks, with junk after them, and with a lone zero block at the end.
    EXPECT_EQ(read(whole.substr(0, whole.size() - 1024)).size(), 2U);
    EXPECT_EQ(read(whole.substr(0, whole.size() - 512)).size(), 2U);
    EXPECT_EQ(read(whole + std::string(5000, 'j')).size(), 2U);
    EXPECT_THAT(fail(TarBuilder().file("a").bytes() + std::string(512, '\0') + TarBuilder().file("b").end()),
                HasSubstr("header is missing"));
}

TEST(Tar, RefusesHostileExtendedHeaders) {  // T22, T23
    const auto pax = [](const std::string& records) { return TarBuilder().pax(records).file("f").end(); };
    for (const auto& bad : {std::string("x"), std::string("99 path=x\n"), std::string("5 a=b"), std::string("6 a=bc"),
                            std::string("-6 a=b\n"), std::string("4 =\n"), std::string("0 a=b\n"),
                            std::string("99999999999999999999 a=b\n"), std::string("6 a-b\n")})
        EXPECT_THAT(fail(pax(bad)), HasSubstr("malformed")) << bad;
    EXPECT_THAT(fail(pax(TarBuilder::record("path", std::string("a\0b", 3)))), HasSubstr("NUL"));
    EXPECT_THAT(fail(pax(TarBuilder::record("path", std::string(5000, 'p')))), HasSubstr("longer than"));
    EXPECT_THAT(fail(pax(TarBuilder::record("path", std::string(2 << 20, 'p')))), HasSubstr("too long"));
    EXPECT_THAT(fail(pax(TarBuilder::record("size", "-1"))), HasSubstr("out of range"));
    EXPECT_THAT(fail(pax(TarBuilder::record("size", "9223372036854775807"))), HasSubstr("out of range"));
    EXPECT_THAT(fail(pax(TarBuilder::record("size", "100000"))), HasSubstr("ends too early"));
    EXPECT_THAT(fail(pax(TarBuilder::record("uid", "-1"))), HasSubstr("out of range"));
    EXPECT_THAT(fail(pax(TarBuilder::record("mtime", "x"))), HasSubstr("no number"));
    TarBuilder chain;
    for (int i = 0; i < 1000; ++i)
        chain.add({.name = "@", .type = 'L', .data = std::string("n\0", 2), .link = "", .size = "", .prefix = ""});
    EXPECT_THAT(fail(chain.file("f").end()), HasSubstr("in a row"));
    EXPECT_THAT(fail(TarBuilder()
                         .add({.name = "@", .type = 'L', .data = "", .link = "", .size = "10000000000", .prefix = ""})
                         .end()),
                HasSubstr("too long"));
    EXPECT_THAT(fail(TarBuilder().pax(TarBuilder::record("path", "x")).end()), HasSubstr("followed by nothing"));
}

/// A start, and zeros until there have been so many bytes.
class ZeroTail final : public ByteSource {
public:
    ZeroTail(std::string start, std::int64_t size) : start_(std::move(start)), left_(size), zeros_(1 << 20, '\0') {}
    std::string_view peek() override {
        if (taken_ < start_.size()) return std::string_view(start_).substr(taken_);
        return std::string_view(zeros_).substr(0, static_cast<std::size_t>(std::min<std::int64_t>(left_, 1 << 20)));
    }
    void consume(std::size_t size) override {
        if (taken_ < start_.size())
            taken_ += size;
        else
            left_ -= static_cast<std::int64_t>(size);
    }

private:
    std::string start_;
    std::size_t taken_ = 0;
    std::int64_t left_;
    std::string zeros_;
};

TEST(Tar, EndsWhereItEnds) {  // T26, T31, T32
    // Zeros without end cost time, never room.
    ZeroTail source(TarBuilder().file("a").end(), std::int64_t{10} << 30U);
    TarReader reader(source);
    TarEntry entry;
    EXPECT_TRUE(reader.next(entry));
    EXPECT_FALSE(reader.next(entry));
    EXPECT_TRUE(source.peek().empty());
    // What follows the end is another archive, and not ours.
    EXPECT_EQ(read(TarBuilder().file("a").end() + TarBuilder().file("b").end()).size(), 1U);
    TarBuilder many;
    for (int i = 0; i < 1001; ++i) many.file("f", "");
    const auto bytes = many.end();
    MemorySource memory(bytes);
    TarReader few(memory, 1000);
    EXPECT_THAT(message_of([&] {
                    while (few.next(entry)) {
                    }
                }),
                HasSubstr("too many entries"));
}

std::string sparse(const std::string& records, const std::string& data) {
    return TarBuilder().pax(records).file("s", data).end();
}

TEST(Tar, AnEntryOfUnknownTypeHasNoData) {
    TarBuilder tar;
    tar.pax(TarBuilder::record("GNU.sparse.major", "1"));
    tar.add({.name = "odd", .type = 'Z', .data = "0\nwhat is this", .link = "", .size = "", .prefix = ""});
    const auto all = read(tar.file("next", "n").end());
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].entry.type, TarType::unknown);
    EXPECT_EQ(all[0].entry.size, 0);
    EXPECT_EQ(all[0].data, "");
    EXPECT_FALSE(all[0].entry.sparse);
    EXPECT_EQ(all[1].data, "n");
}

TEST(Tar, ReadsAndChecksSparseMaps) {  // T24
    const auto r = [](const char* key, const std::string& value) {
        return TarBuilder::record(std::string("GNU.sparse.") + key, value);
    };
    const auto v01 = read(sparse(r("size", "1000") + r("numblocks", "2") + r("map", "0,3,500,2"), "abcde"));
    ASSERT_EQ(v01.size(), 1U);
    EXPECT_TRUE(v01[0].entry.sparse);
    EXPECT_EQ(v01[0].entry.size, 1000);
    ASSERT_EQ(v01[0].entry.extents.size(), 2U);
    EXPECT_EQ(v01[0].entry.extents[1].offset, 500);
    EXPECT_EQ(v01[0].data, "abcde");
    const auto v00 = read(
        sparse(r("size", "10") + r("offset", "2") + r("numbytes", "1") + r("offset", "9") + r("numbytes", "1"), "ab"));
    EXPECT_EQ(v00[0].entry.extents.size(), 2U);
    std::string map = "1\n100\n4\n";
    map.resize(512, '\0');
    const auto v10 =
        read(sparse(r("major", "1") + r("minor", "0") + r("name", "real") + r("realsize", "200"), map + "data"));
    EXPECT_EQ(v10[0].entry.name, "real");
    EXPECT_EQ(v10[0].data, "data");
    EXPECT_EQ(v10[0].entry.size, 200);

    const std::pair<std::string, std::string> bad[] = {
        {r("size", "10") + r("map", "0,5,3,2"), "1234567"},          // overlap
        {r("size", "10") + r("map", "5,2,0,2"), "1234"},             // backwards
        {r("size", "10") + r("map", "0,20"), std::string(20, 'x')},  // beyond the end
        {r("size", "10") + r("map", "-1,2"), "12"},
        {r("size", "10") + r("map", "0,-2"), ""},
        {r("size", "10") + r("map", "0,2,4"), "12"},
        {r("size", "10") + r("map", "0,3"), "12"},  // more than there is
        {r("size", "10") + r("map", "0,1"), "12"},  // less than there is
        {r("size", "-1") + r("map", "0,1"), "1"},
        {r("size", "1152921504606846976") + r("map", "1152921504606846970,1"), "1"},
        {r("size", "10") + r("map", "9223372036854775807,9223372036854775807"), "1"},
        {r("size", "10") + r("numbytes", "1"), "1"},
        {r("major", "1") + r("realsize", "10"), "x"},
        {r("major", "1") + r("realsize", "10"), "99999999\n1\n"},
        {r("major", "1") + r("realsize", "10"), std::string(600, '1')},
        {r("major", "1") + r("realsize", "10"), "1\n0\n"},
    };
    for (const auto& [records, data] : bad) EXPECT_THROW(read(sparse(records, data)), Error) << records;
}

TEST(Tar, ReadsWhatGnuTarWrites) {
    if (std::system("command -v tar >/dev/null") != 0) GTEST_SKIP() << "no tar program";
    const auto dir = fs::temp_directory_path() / ("compose-tar-" + sys::random_id().substr(0, 12));
    fs::create_directories(dir / "t");
    const std::string long_name(200, 'q');
    std::ofstream(dir / "t" / long_name) << "long";
    {
        std::ofstream holes(dir / "t/holes");
        for (int i = 0; i < 40; ++i) holes.seekp(i * 65536) << "block" << i;
    }
    fs::resize_file(dir / "t/holes", 5'000'000);
    for (const auto* format : {"--format=v7", "--format=ustar", "--format=gnu", "--format=gnu --sparse", "--format=pax",
                               "--format=pax --sparse", "--format=pax --sparse --sparse-version=0.0",
                               "--format=pax --sparse --sparse-version=0.1"}) {
        const bool short_only =
            std::string(format).find("v7") != std::string::npos || std::string(format) == "--format=ustar";
        const auto command = fmt::format("cd {} && tar {} {} -cf out.tar t 2>/dev/null", dir.string(), format,
                                         short_only ? "--exclude=t/q*" : "");
        ASSERT_EQ(std::system(command.c_str()), 0) << format;
        const auto all = read(sys::read_file(dir / "out.tar"));
        EXPECT_EQ(all.size(), short_only ? 2U : 3U) << format;
        for (const auto& item : all) {
            if (item.entry.name != "t/holes") continue;
            EXPECT_EQ(item.entry.size, 5'000'000) << format;
            std::string content(5'000'000, '\0');
            if (item.entry.sparse) {
                std::size_t at = 0;
                for (const auto& extent : item.entry.extents) {
                    const auto size = static_cast<std::size_t>(extent.size);
                    content.replace(static_cast<std::size_t>(extent.offset), size, item.data.substr(at, size));
                    at += size;
                }
            } else {
                content = item.data;
            }
            EXPECT_EQ(content, sys::read_file(dir / "t/holes")) << format;
        }
    }
    fs::remove_all(dir);
}

}  // namespace
}  // namespace compose::image::test
