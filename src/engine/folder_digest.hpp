// What a folder of the user's holds, as one digest: so that a change in it is seen.
#pragma once

#include <string>

namespace compose::engine {

/// 64 hex digits over the names, kinds, permissions and contents of all that lies below `folder`. Links count by where
/// they point, and are never followed. The work is bounded: what lies deeper than 32 levels or beyond 20,000 entries is
/// not looked at, and files beyond 64 MiB in all count by size and time instead of by content.
[[nodiscard]] std::string folder_digest(const std::string& folder);

}  // namespace compose::engine
