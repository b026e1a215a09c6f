// How large the disk of a container may be.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/units.hpp"

namespace compose {

/// A size as users write it -> bytes, in whole blocks of 4 KiB. Throws Error(invalid) when it is no size, or one that
/// no disk can have.
[[nodiscard]] Bytes parse_disk_size(std::string_view text);
/// The size in `storage_opt`; nothing when there is none. Throws as the above, also at other options.
[[nodiscard]] std::optional<Bytes> disk_size(const std::map<std::string, std::string>& storage_opt);

}  // namespace compose
