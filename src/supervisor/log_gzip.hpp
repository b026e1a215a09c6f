// gzip as logs are kept in it: written piece by piece, read from any place. Neither holds more than zlib's own window
// and a block, however large the file is.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "sys/fd.hpp"

namespace compose::supervisor {

class GzipWriter {
public:
    GzipWriter();
    GzipWriter(GzipWriter&&) noexcept;
    GzipWriter& operator=(GzipWriter&&) noexcept;
    ~GzipWriter();
    /// Appends what is ready so far to `out`.
    void add(std::string_view bytes, std::string& out);
    /// Appends the rest; nothing may be added after it.
    void finish(std::string& out);

private:
    struct Stream;
    void deflate(std::string_view bytes, bool last, std::string& out);
    std::unique_ptr<Stream> stream_;
};

class GzipReader {
public:
    explicit GzipReader(sys::Fd file);
    GzipReader(GzipReader&&) noexcept;
    GzipReader& operator=(GzipReader&&) noexcept;
    ~GzipReader();
    /// Reads from `offset` of the text; less than asked for only at its end. Forwards costs what lies between,
    /// backwards by more than a block all that is before. A file that is broken ends where it breaks.
    [[nodiscard]] std::size_t read_at(std::span<char> out, std::uint64_t offset);

private:
    struct Stream;
    bool next_block();
    std::unique_ptr<Stream> stream_;
};

}  // namespace compose::supervisor
