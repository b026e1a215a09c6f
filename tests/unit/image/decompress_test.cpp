#include "image/decompress.hpp"

#include <bzlib.h>
#include <lzma.h>
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

std::string xz(const std::string& data, unsigned preset = 1) {
    std::string out(::lzma_stream_buffer_bound(data.size()), '\0');
    std::size_t size = 0;
    EXPECT_EQ(
        ::lzma_easy_buffer_encode(preset, LZMA_CHECK_CRC64, nullptr, reinterpret_cast<const std::uint8_t*>(data.data()),
                                  data.size(), reinterpret_cast<std::uint8_t*>(out.data()), &size, out.size()),
        LZMA_OK);
    out.resize(size);
    return out;
}

std::string bzip2(const std::string& data) {
    std::string out(data.size() * 2 + 1000, '\0');
    auto size = static_cast<unsigned>(out.size());
    EXPECT_EQ(::BZ2_bzBuffToBuffCompress(out.data(), &size, const_cast<char*>(data.data()),
                                         static_cast<unsigned>(data.size()), 1, 0, 0),
              BZ_OK);
    out.resize(size);
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
        EXPECT_EQ(plain(xz(data), step), data);
        EXPECT_EQ(plain(bzip2(data), step), data);
        EXPECT_EQ(plain(xz(data) + xz("second"), step), data + "second");
        EXPECT_EQ(plain(bzip2(data) + bzip2("second"), step), data + "second");
        EXPECT_EQ(plain(gzip(data) + gzip("second") + std::string(600, '\0'), step), data + "second");
        EXPECT_EQ(plain(zstd(data) + zstd("second"), step), data + "second");
    }
    EXPECT_EQ(plain(""), "");
    for (const auto& packed : {gzip(""), zstd(""), xz(""), bzip2("")}) EXPECT_EQ(plain(packed), "");
}

TEST(Decompress, RefusesDamage) {
    const auto data = sample();
    for (const auto& whole : {gzip(data), zstd(data), xz(data), bzip2(data)}) {
        for (const std::size_t size : {10UL, 100UL, whole.size() / 2, whole.size() - 1})
            EXPECT_THAT(message_of([&] { plain(whole.substr(0, size)); }), HasSubstr("too early")) << size;
        auto flipped = whole;
        flipped[whole.size() / 2] ^= 0x55;
        EXPECT_NE(message_of([&] { plain(flipped); }), "no error");
    }
    EXPECT_THAT(message_of([&] { plain(gzip(data) + "garbage"); }), HasSubstr("followed by something else"));
    EXPECT_THAT(message_of([&] { plain(bzip2(data) + "garbage"); }), HasSubstr("damaged"));
    EXPECT_THAT(message_of([&] { plain(xz(data) + "some garbage"); }), HasSubstr("damaged"));
    // A frame that wants a window of 2 GiB: magic, descriptor without a single segment, window log 31.
    std::string greedy(100, 'x');
    greedy.replace(0, 6, std::string_view("\x28\xb5\x2f\xfd\x00\xa8", 6));
    EXPECT_THAT(message_of([&] { plain(greedy); }), HasSubstr("too much memory"));
    // LZMA2 with a dictionary of 1.5 GiB: its size stands in one byte of the block's header, under a checksum of its
    // own.
    auto wide = xz("x");
    const std::size_t block = 12, end = block + static_cast<std::size_t>(wide[block]) * 4;
    wide[wide.find(std::string("\x21\x01", 2), block) + 2] = 37;
    const auto sum = ::lzma_crc32(reinterpret_cast<const std::uint8_t*>(wide.data()) + block, end - block, 0);
    for (std::size_t i = 0; i < 4; ++i) wide[end + i] = static_cast<char>(sum >> (8 * i));
    EXPECT_THAT(message_of([&] { plain(wide); }), HasSubstr("too much memory"));
}

using DecompressLayer = LayerTest;

TEST_F(DecompressLayer, TheDiffIdIsThatOfThePlainArchive) {
    const auto tar = TarBuilder().file("f", sample()).end();
    const auto one = unpack(tar);
    EXPECT_EQ(unpack(gzip(tar)).diff_id, one.diff_id);
    for (const auto& packed : {zstd(tar), xz(tar), bzip2(tar)}) EXPECT_EQ(unpack(packed).chain_id, one.chain_id);
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
