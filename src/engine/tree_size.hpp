// How much the files of a folder hold, whoever filled it.
#pragma once

#include <cstdint>
#include <string>

namespace compose::engine {

/// Bytes of all regular files, each once however many names it has; 0 when the folder is not there. Links are not
/// followed; what vanishes meanwhile doesn't count.
[[nodiscard]] std::int64_t tree_size(const std::string& folder);

}  // namespace compose::engine
