// Folders that hold copies of what lies elsewhere, by what they are copies of: made once, whole or not at all, and
// never changed again.
#pragma once

#include <functional>
#include <string>

namespace compose::engine {

/// The folder `key` of `parent`. When it is not there, `fill` is given an empty one and makes it; of several processes
/// that want it, one does. `key` is this program's own word, never a stranger's.
[[nodiscard]] std::string keep_copy(const std::string& parent, const std::string& key,
                                    const std::function<void(const std::string& folder)>& fill);

}  // namespace compose::engine
