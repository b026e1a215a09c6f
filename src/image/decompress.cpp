#include "image/decompress.hpp"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <vector>

#include "base/error.hpp"

namespace compose::image {

namespace {

constexpr std::size_t kBuffer = std::size_t{256} << 10U;
// 128 MiB: what zstd itself takes without being asked for more. A frame may claim gigabytes.
constexpr int kMaxZstdWindowLog = 27;

class PlainSource final : public ByteSource {
public:
    explicit PlainSource(ByteSource& source) : source_(source) {}
    std::string_view peek() override { return source_.peek(); }
    void consume(std::size_t size) override { source_.consume(size); }

private:
    ByteSource& source_;
};

class GzipSource final : public ByteSource {
public:
    explicit GzipSource(ByteSource& source) : source_(source), buffer_(kBuffer) {
        if (::inflateInit2(&stream_, 15 + 16) != Z_OK) throw Error("zlib cannot start");
    }
    ~GzipSource() override { ::inflateEnd(&stream_); }
    GzipSource(const GzipSource&) = delete;
    GzipSource& operator=(const GzipSource&) = delete;

    std::string_view peek() override {
        while (taken_ == filled_ && !ended_) fill();
        return {buffer_.data() + taken_, filled_ - taken_};
    }
    void consume(std::size_t size) override { taken_ += size; }

private:
    void fill() {
        taken_ = filled_ = 0;
        if (between_members_) return start_member();
        const auto input = source_.peek().substr(0, std::size_t{1} << 30U);
        if (input.empty()) throw Error("the gzip stream ends too early", ErrorKind::invalid);
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
        stream_.avail_in = static_cast<uInt>(input.size());
        stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
        stream_.avail_out = static_cast<uInt>(buffer_.size());
        const int code = ::inflate(&stream_, Z_NO_FLUSH);
        source_.consume(input.size() - stream_.avail_in);
        filled_ = buffer_.size() - stream_.avail_out;
        if (code == Z_STREAM_END)
            between_members_ = true;
        else if (code != Z_OK && code != Z_BUF_ERROR)
            throw make_error(ErrorKind::invalid, "the gzip stream is damaged: {}",
                             stream_.msg != nullptr ? stream_.msg : "bad data");
    }

    /// Members may follow each other; zeros after the last one are padding.
    void start_member() {
        for (;;) {
            const auto input = source_.peek();
            if (input.empty()) {
                ended_ = true;
                return;
            }
            const auto zeros = std::min(input.find_first_not_of('\0'), input.size());
            if (zeros < input.size()) {
                if (input[zeros] != '\x1f')
                    throw Error("the gzip stream is followed by something else", ErrorKind::invalid);
                source_.consume(zeros);
                break;
            }
            source_.consume(zeros);
        }
        ::inflateReset(&stream_);
        between_members_ = false;
    }

    ByteSource& source_;
    std::vector<char> buffer_;
    z_stream stream_{};
    std::size_t taken_ = 0, filled_ = 0;
    bool between_members_ = false;
    bool ended_ = false;
};

class ZstdSource final : public ByteSource {
public:
    explicit ZstdSource(ByteSource& source) : source_(source), buffer_(kBuffer), stream_(::ZSTD_createDCtx()) {
        if (!stream_) throw Error("zstd cannot start");
        ::ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kMaxZstdWindowLog);
    }

    std::string_view peek() override {
        while (taken_ == filled_ && !ended_) fill();
        return {buffer_.data() + taken_, filled_ - taken_};
    }
    void consume(std::size_t size) override { taken_ += size; }

private:
    struct Free {
        void operator()(ZSTD_DCtx* stream) const noexcept { ::ZSTD_freeDCtx(stream); }
    };

    void fill() {
        taken_ = filled_ = 0;
        const auto input = source_.peek();
        if (input.empty() && !inside_frame_) {
            ended_ = true;
            return;
        }
        ZSTD_inBuffer in{input.data(), input.size(), 0};
        ZSTD_outBuffer out{buffer_.data(), buffer_.size(), 0};
        const auto code = ::ZSTD_decompressStream(stream_.get(), &out, &in);
        if (::ZSTD_isError(code) != 0)
            throw make_error(ErrorKind::invalid, "the zstd stream is damaged or needs too much memory: {}",
                             ::ZSTD_getErrorName(code));
        source_.consume(in.pos);
        filled_ = out.pos;
        if (input.empty() && out.pos == 0) throw Error("the zstd stream ends too early", ErrorKind::invalid);
        inside_frame_ = code != 0;
    }

    ByteSource& source_;
    std::vector<char> buffer_;
    std::unique_ptr<ZSTD_DCtx, Free> stream_;
    std::size_t taken_ = 0, filled_ = 0;
    bool inside_frame_ = false;
    bool ended_ = false;
};

}  // namespace

Compression detect_compression(std::string_view bytes) {
    using namespace std::string_view_literals;
    if (bytes.starts_with("\x1f\x8b"sv)) return Compression::gzip;
    if (bytes.starts_with("\x28\xb5\x2f\xfd"sv)) return Compression::zstd;
    // A skippable frame in front, as some writers of seekable streams put it.
    if (bytes.size() >= 4 && (static_cast<unsigned char>(bytes[0]) & 0xf0U) == 0x50 &&
        bytes.substr(1, 3) == "\x2a\x4d\x18"sv)
        return Compression::zstd;
    if (bytes.starts_with("BZh"sv)) return Compression::bzip2;
    if (bytes.starts_with("\xfd"
                          "7zXZ"sv))
        return Compression::xz;
    return Compression::none;
}

std::unique_ptr<ByteSource> decompress(ByteSource& source) {
    const auto unsupported = [](std::string_view name) {
        return make_error(ErrorKind::invalid, "the archive is compressed with {}, which is not read", name)
            .with_hint(fmt::format("decompress it first: {} -dc FILE | compose image import - NAME", name));
    };
    switch (detect_compression(source.peek())) {
        case Compression::gzip:
            return std::make_unique<GzipSource>(source);
        case Compression::zstd:
            return std::make_unique<ZstdSource>(source);
        case Compression::bzip2:
            throw unsupported("bzip2");
        case Compression::xz:
            throw unsupported("xz");
        case Compression::none:
            break;
    }
    return std::make_unique<PlainSource>(source);
}

}  // namespace compose::image
