#include "supervisor/log_gzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/error.hpp"
#include "sys/spool.hpp"

namespace compose::supervisor {
namespace {

constexpr std::size_t kBlock = 64 * 1024;
constexpr int kGzipWindow = MAX_WBITS + 16;  // zlib's way to ask for gzip's header and trailer
// It shares its processor with the capture, and lines of a log become small at any level.
constexpr int kLevel = Z_BEST_SPEED;
constexpr int kMemory = 8;

Bytef* input(std::string_view bytes) {
    return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib reads it only
}

}  // namespace

struct GzipWriter::Stream {
    z_stream zlib{};
    Stream() {
        if (::deflateInit2(&zlib, kLevel, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY) != Z_OK)
            throw Error("there is no memory to compress in");
    }
    ~Stream() { ::deflateEnd(&zlib); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
};

GzipWriter::GzipWriter() : stream_(std::make_unique<Stream>()) {}
GzipWriter::GzipWriter(GzipWriter&&) noexcept = default;
GzipWriter& GzipWriter::operator=(GzipWriter&&) noexcept = default;
GzipWriter::~GzipWriter() = default;

void GzipWriter::add(std::string_view bytes, std::string& out) {
    deflate(bytes, false, out);
}

void GzipWriter::finish(std::string& out) {
    deflate({}, true, out);
}

void GzipWriter::deflate(std::string_view bytes, bool last, std::string& out) {
    auto& zlib = stream_->zlib;
    std::array<char, kBlock / 4> piece;
    zlib.next_in = input(bytes);
    zlib.avail_in = static_cast<uInt>(bytes.size());
    do {
        zlib.next_out = reinterpret_cast<Bytef*>(piece.data());
        zlib.avail_out = piece.size();
        if (::deflate(&zlib, last ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_ERROR) throw Error("compressing has failed");
        out.append(piece.data(), piece.size() - zlib.avail_out);
    } while (zlib.avail_out == 0);
}

struct GzipReader::Stream {
    sys::Fd file;
    z_stream zlib{};
    bool ended = false;
    std::uint64_t read = 0;   // of the file
    std::uint64_t start = 0;  // of `text` in the whole text
    std::vector<char> raw = std::vector<char>(kBlock / 4);
    std::string text;

    explicit Stream(sys::Fd from) : file(std::move(from)) {
        if (::inflateInit2(&zlib, kGzipWindow) != Z_OK) throw Error("there is no memory to decompress in");
    }
    ~Stream() { ::inflateEnd(&zlib); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    void rewind() {
        ::inflateReset(&zlib);
        zlib.avail_in = 0;
        read = start = 0;
        text.clear();
        ended = false;
    }
};

GzipReader::GzipReader(sys::Fd file) : stream_(std::make_unique<Stream>(std::move(file))) {}
GzipReader::GzipReader(GzipReader&&) noexcept = default;
GzipReader& GzipReader::operator=(GzipReader&&) noexcept = default;
GzipReader::~GzipReader() = default;

// Puts the block behind the present one in its place. False at the end.
bool GzipReader::next_block() {
    auto& s = *stream_;
    s.start += s.text.size();
    s.text.clear();
    if (s.ended) return false;
    s.text.resize(kBlock);
    s.zlib.next_out = reinterpret_cast<Bytef*>(s.text.data());
    s.zlib.avail_out = kBlock;
    while (s.zlib.avail_out > 0 && !s.ended) {
        if (s.zlib.avail_in == 0) {
            const auto n = sys::read_at(s.file, s.raw, s.read);
            s.read += n;
            s.zlib.next_in = reinterpret_cast<Bytef*>(s.raw.data());
            s.zlib.avail_in = static_cast<uInt>(n);
        }
        s.ended = s.zlib.avail_in == 0 || ::inflate(&s.zlib, Z_NO_FLUSH) != Z_OK;
    }
    s.text.resize(kBlock - s.zlib.avail_out);
    return !s.text.empty();
}

std::size_t GzipReader::read_at(std::span<char> out, std::uint64_t offset) {
    auto& s = *stream_;
    if (offset < s.start) s.rewind();
    std::size_t done = 0;
    while (done < out.size()) {
        const auto wanted = offset + done;
        if (wanted >= s.start + s.text.size()) {
            if (!next_block()) break;
            continue;
        }
        const auto from = static_cast<std::size_t>(wanted - s.start);
        const auto n = std::min(s.text.size() - from, out.size() - done);
        std::copy_n(s.text.data() + from, n, out.data() + done);
        done += n;
    }
    return done;
}

}  // namespace compose::supervisor
