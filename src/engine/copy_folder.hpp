// Folders that hold copies of what lies elsewhere, by what they are copies of: made once, whole or not at all, and
// never changed again. A folder's time says when it was last of use.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace compose::engine {

/// The folder `key` of `parent`. When it is not there, `fill` is given an empty one and makes it; of several processes
/// that want it, one does. `key` is this program's own word, never a stranger's.
[[nodiscard]] std::string keep_copy(const std::string& parent, const std::string& key,
                                    const std::function<void(const std::string& folder)>& fill);

/// The folder `key` of `parent` when it is there: empty otherwise.
[[nodiscard]] std::string find_copy(const std::string& parent, const std::string& key);

/// Removes a copy, or what is left of making one, unless it was of use in the last `age`. False: it is still there.
bool remove_copy(const std::string& parent, const std::string& key, std::chrono::seconds age);

}  // namespace compose::engine
