#include "image/decompress.hpp"

#include <bzlib.h>
#include <lzma.h>
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
constexpr std::uint64_t kMaxXzMemory = std::uint64_t{128} << 20U;  // xz -9 takes 65 MiB

class PlainSource final : public ByteSource {
public:
    explicit PlainSource(ByteSource& source) : source_(source) {}
    std::string_view peek() override { return source_.peek(); }
    void consume(std::size_t size) override { source_.consume(size); }

private:
    ByteSource& source_;
};

/// A buffer of plain bytes that is filled again when it was taken. Some decoders take in everything and still hold
/// bytes back: fill() may come back with nothing, and is called again.
class DecoderSource : public ByteSource {
public:
    explicit DecoderSource(ByteSource& source) : source_(source), buffer_(kBuffer) {}
    std::string_view peek() final {
        while (taken_ == filled_ && !ended_) {
            taken_ = filled_ = 0;
            fill();
        }
        return {buffer_.data() + taken_, filled_ - taken_};
    }
    void consume(std::size_t size) final { taken_ += size; }

protected:
    /// Sets filled_ to what now lies in buffer_, or ended_.
    virtual void fill() = 0;

    ByteSource& source_;
    std::vector<char> buffer_;
    std::size_t filled_ = 0;
    bool ended_ = false;

private:
    std::size_t taken_ = 0;
};

class GzipSource final : public DecoderSource {
public:
    explicit GzipSource(ByteSource& source) : DecoderSource(source) {
        if (::inflateInit2(&stream_, 15 + 16) != Z_OK) throw Error("zlib cannot start");
    }
    ~GzipSource() override { ::inflateEnd(&stream_); }
    GzipSource(const GzipSource&) = delete;
    GzipSource& operator=(const GzipSource&) = delete;

private:
    void fill() override {
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

    z_stream stream_{};
    bool between_members_ = false;
};

class ZstdSource final : public DecoderSource {
public:
    explicit ZstdSource(ByteSource& source) : DecoderSource(source), stream_(::ZSTD_createDCtx()) {
        if (!stream_) throw Error("zstd cannot start");
        ::ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kMaxZstdWindowLog);
    }

private:
    struct Free {
        void operator()(ZSTD_DCtx* stream) const noexcept { ::ZSTD_freeDCtx(stream); }
    };

    void fill() override {
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

    std::unique_ptr<ZSTD_DCtx, Free> stream_;
    bool inside_frame_ = false;
};

class XzSource final : public DecoderSource {
public:
    explicit XzSource(ByteSource& source) : DecoderSource(source) {
        // Streams may follow each other, as those of parallel compressors do.
        if (::lzma_stream_decoder(&stream_, kMaxXzMemory, LZMA_CONCATENATED) != LZMA_OK) throw Error("xz cannot start");
    }
    ~XzSource() override { ::lzma_end(&stream_); }
    XzSource(const XzSource&) = delete;
    XzSource& operator=(const XzSource&) = delete;

private:
    void fill() override {
        const auto input = source_.peek();
        stream_.next_in = reinterpret_cast<const std::uint8_t*>(input.data());
        stream_.avail_in = input.size();
        stream_.next_out = reinterpret_cast<std::uint8_t*>(buffer_.data());
        stream_.avail_out = buffer_.size();
        const auto code = ::lzma_code(&stream_, input.empty() ? LZMA_FINISH : LZMA_RUN);
        source_.consume(input.size() - stream_.avail_in);
        filled_ = buffer_.size() - stream_.avail_out;
        if (code == LZMA_STREAM_END)
            ended_ = true;
        else if (code == LZMA_BUF_ERROR && input.empty())
            throw Error("the xz stream ends too early", ErrorKind::invalid);
        else if (code == LZMA_MEMLIMIT_ERROR)
            throw Error("the xz stream needs too much memory", ErrorKind::invalid);
        else if (code != LZMA_OK && code != LZMA_BUF_ERROR)
            throw Error("the xz stream is damaged", ErrorKind::invalid);
    }

    lzma_stream stream_ = LZMA_STREAM_INIT;
};

class Bzip2Source final : public DecoderSource {
public:
    explicit Bzip2Source(ByteSource& source) : DecoderSource(source) { start(); }
    ~Bzip2Source() override { ::BZ2_bzDecompressEnd(&stream_); }
    Bzip2Source(const Bzip2Source&) = delete;
    Bzip2Source& operator=(const Bzip2Source&) = delete;

private:
    void start() {
        if (::BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) throw Error("bzip2 cannot start");
    }

    void fill() override {
        const auto input = source_.peek().substr(0, std::size_t{1} << 30U);
        if (between_streams_) {
            ended_ = input.empty();
            if (ended_) return;
            ::BZ2_bzDecompressEnd(&stream_);
            stream_ = {};
            start();
            between_streams_ = false;
        }
        stream_.next_in = const_cast<char*>(input.data());
        stream_.avail_in = static_cast<unsigned>(input.size());
        stream_.next_out = buffer_.data();
        stream_.avail_out = static_cast<unsigned>(buffer_.size());
        const int code = ::BZ2_bzDecompress(&stream_);
        source_.consume(input.size() - stream_.avail_in);
        filled_ = buffer_.size() - stream_.avail_out;
        if (code == BZ_STREAM_END)
            between_streams_ = true;
        else if (code != BZ_OK)
            throw Error("the bzip2 stream is damaged", ErrorKind::invalid);
        else if (input.empty() && filled_ == 0)
            throw Error("the bzip2 stream ends too early", ErrorKind::invalid);
    }

    bz_stream stream_{};
    bool between_streams_ = false;
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
    switch (detect_compression(source.peek())) {
        case Compression::gzip:
            return std::make_unique<GzipSource>(source);
        case Compression::zstd:
            return std::make_unique<ZstdSource>(source);
        case Compression::bzip2:
            return std::make_unique<Bzip2Source>(source);
        case Compression::xz:
            return std::make_unique<XzSource>(source);
        case Compression::none:
            break;
    }
    return std::make_unique<PlainSource>(source);
}

}  // namespace compose::image
