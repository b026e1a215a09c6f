// gzip, zstd, xz and bzip2 streams, told apart by their first bytes. Memory stays bounded whatever the stream claims.
#pragma once

#include <memory>
#include <string_view>

#include "image/byte_source.hpp"

namespace compose::image {

enum class Compression { none, gzip, zstd, bzip2, xz };
[[nodiscard]] Compression detect_compression(std::string_view first_bytes);

/// Whatever `source` is, the plain bytes. `source` must outlive the result. Reading throws Error(invalid) when the
/// stream is damaged, ends too early or wants too much memory.
[[nodiscard]] std::unique_ptr<ByteSource> decompress(ByteSource& source);

}  // namespace compose::image
