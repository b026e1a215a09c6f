// Writing tar streams: ustar headers, pax records only where a value needs one. The same entries give the same bytes.
#pragma once

#include "image/byte_sink.hpp"
#include "image/tar.hpp"

namespace compose::image {

class TarWriter {
public:
    explicit TarWriter(ByteSink& out) : out_(out) {}

    /// Writes the header. For a regular file exactly `entry.size` bytes must follow through data(); hard links and all
    /// other types have none. Names of directories get their trailing slash here. Throws Error(invalid) for what has no
    /// place in a tar (a name with NUL, a negative size).
    void add(const TarEntry& entry);
    void data(std::string_view bytes);
    /// The end of the archive: two empty blocks.
    void finish();

private:
    void pad();

    ByteSink& out_;
    std::int64_t left_ = 0;     // data bytes that still have to come
    std::int64_t padding_ = 0;  // after them
};

}  // namespace compose::image
