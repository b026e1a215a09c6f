#include "base/disk_size.hpp"

#include "base/error.hpp"
#include "base/strings.hpp"

namespace compose {
namespace {

constexpr Bytes kSmallest = Bytes{16} << 20U;  // of less than that, tables and journal would leave too little
constexpr Bytes kLargest = (Bytes{16} << 40U) - (Bytes{1} << 20U);  // of a file on ext4
constexpr Bytes kBlock = 4096;

}  // namespace

Bytes parse_disk_size(std::string_view text) {
    const auto size = parse_bytes(text);
    if (!size)
        throw make_error(ErrorKind::invalid, "{} is not a size", quote(text)).with_hint("for example 10G or 512m");
    if (*size < kSmallest)
        throw make_error(ErrorKind::invalid, "{} is too small for a container's own files", quote(text))
            .with_hint("16m is the least");
    if (*size > kLargest)
        throw make_error(ErrorKind::invalid, "{} is too large for a container's own files", quote(text))
            .with_hint("it must be less than 16T");
    return *size / kBlock * kBlock;
}

std::optional<Bytes> disk_size(const std::map<std::string, std::string>& storage_opt) {
    std::optional<Bytes> size;
    for (const auto& [key, value] : storage_opt) {
        if (key != "size") throw make_error(ErrorKind::invalid, "unknown storage option {}", quote(key));
        size = parse_disk_size(value);
    }
    return size;
}

}  // namespace compose
