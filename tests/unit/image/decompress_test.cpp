#include "image/decompress.hpp"

#include <zlib.h>
#include <zstd.h>

#include <gmock/gmock.h>

#include "fixture.hpp"

namespace compose::image::test {
namespace {

using ::testing::HasSubstr;

std::string gzip(const std::string& data) {
    z_stream stream{};
    EXPECT_EQ(::deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(::deflateBound(&stream, data.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
    stream.avail_in = static_cast<uInt>(data.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    ::deflateEnd(&stream);
    return out;
}

std::string zstd(const std::string& data) {
    std::string out(::ZSTD_compressBound(data.size()), '\0');
    out.resize(::ZSTD_compress(out.data(), out.size(), data.data(), data.size(), 3));
    return out;
}

/// Gives a few bytes at a time.
class Drip final : public ByteSource {
public:
    Drip(std::string bytes, std::size_t step) : bytes_(std::move(bytes)), step_(step) {}
    std::string_view peek() override {
        return std::string_view(bytes_).substr(at_, at_ == 0 ? std::max<std::size_t>(step_, 8) : step_);
    }
    void consume(std::size_t size) override { at_ += size; }

private:
    std::string bytes_;
    std::size_t step_, at_ = 0;
};

std::string plain(const std::string& bytes, std::size_t step = 1 << 20) {
    Drip source(bytes, step);
    const auto out = decompress(source);
    std::string all;
    for (auto part = out->peek(); !part.empty(); part = out->peek()) {
        all += part;
        out->consume(std::min<std::size_t>(part.size(), 1000));
        all.resize(all.size() - part.size() + std::min<std::size_t>(part.size(), 1000));
    }
    return all;
}

std::string sample() {
    std::string data;
    for (int i = 0; i < 100'000; ++i) data += std::to_string(i * 7919);
    return data;
}

TEST(Decompress, ReadsWhateverItIs) {
    const auto data = sample();
    for (const std::size_t step : {1UL, 7UL, 4096UL, 1UL << 20}) {
        EXPECT_EQ(plain(data, step), data);
        EXPECT_EQ(plain(gzip(data), step), data);
        EXPECT_EQ(plain(zstd(data), step), data);
        EXPECT_EQ(plain(gzip(data) + gzip("second") + std::string(600, '\0'), step), data + "second");
        EXPECT_EQ(plain(zstd(data) + zstd("second"), step), data + "second");
    }
    EXPECT_EQ(plain(""), "");
    EXPECT_EQ(plain(gzip("")), "");
}

TEST(Decompress, RefusesDamage) {
    const auto data = sample();
    for (const auto& whole : {gzip(data), zstd(data)}) {
        for (const std::size_t size : {10UL, 100UL, whole.size() / 2, whole.size() - 1})
            EXPECT_THAT(message_of([&] { plain(whole.substr(0, size)); }), HasSubstr("too early")) << size;
        auto flipped = whole;
        flipped[whole.size() / 2] ^= 0x55;
        EXPECT_NE(message_of([&] { plain(flipped); }), "no error");
    }
    EXPECT_THAT(message_of([&] { plain(gzip(data) + "garbage"); }), HasSubstr("followed by something else"));
    EXPECT_THAT(message_of([&] { plain(std::string("\xfd") + "7zXZ" + '\0'); }), HasSubstr("compressed with xz"));
    EXPECT_THAT(message_of([&] { plain("BZh91AY"); }), HasSubstr("compressed with bzip2"));
    // A frame that wants a window of 2 GiB: magic, descriptor without a single segment, window log 31.
    std::string greedy(100, 'x');
    greedy.replace(0, 6, std::string_view("\x28\xb5\x2f\xfd\x00\xa8", 6));
    EXPECT_THAT(message_of([&] { plain(greedy); }), HasSubstr("too much memory"));
}

using DecompressLayer = LayerTest;

TEST_F(DecompressLayer, TheDiffIdIsThatOfThePlainArchive) {
    const auto tar = TarBuilder().file("f", sample()).end();
    const auto one = unpack(tar);
    EXPECT_EQ(unpack(gzip(tar)).diff_id, one.diff_id);
    EXPECT_EQ(unpack(zstd(tar)).chain_id, one.chain_id);
    EXPECT_EQ(unpack(gzip(tar)).size, static_cast<std::int64_t>(sample().size()));
    EXPECT_EQ(names().size(), 1U);
    EXPECT_NE(unpack(tar, one.chain_id).chain_id, one.chain_id);
}

TEST_F(DecompressLayer, NothingIsLeftOfABrokenOne) {
    const auto tar = gzip(TarBuilder().file("f", sample()).file("g", sample()).end());
    EXPECT_THAT(error(tar.substr(0, tar.size() / 2)), HasSubstr("too early"));
    EXPECT_THAT(error(gzip(gzip(TarBuilder().file("f").end()))), HasSubstr("not a tar archive"));
    EXPECT_THAT(error(gzip("")), HasSubstr("empty"));
}

}  // namespace
}  // namespace compose::image::test
