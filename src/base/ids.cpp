#include "base/ids.hpp"

namespace compose {

std::string hex(std::span<const std::byte> bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const auto byte : bytes) {
        out += kDigits[std::to_integer<unsigned>(byte) >> 4U];
        out += kDigits[std::to_integer<unsigned>(byte) & 15U];
    }
    return out;
}

std::string object_id(std::span<const std::byte> bytes) {
    std::string id = hex(bytes);
    if (!id.empty() && short_id(id).find_first_not_of("0123456789") == std::string_view::npos)
        id.front() = "abcdefabcd"[id.front() - '0'];
    return id;
}

}  // namespace compose
