#include "image/chain_id.hpp"

#include <fmt/format.h>

#include "base/digest.hpp"

namespace compose::image {

bool is_chain_id(std::string_view name) {
    return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string chain_id_of(const std::string& parent, const std::string& diff_hex) {
    if (parent.empty()) return diff_hex;
    return sha256_hex(fmt::format("sha256:{} sha256:{}", parent, diff_hex));
}

}  // namespace compose::image
