// What the files that a container itself has written take: looked up only for those who ask for it.
#pragma once

#include <compose/engine.hpp>
#include <string>

namespace compose::cli {

/// Does this Go template name the field Size, by itself or with all the others?
[[nodiscard]] bool asks_for_size(const std::string& format);
/// "12kB (virtual 4MB)": its own files, and with those of its image. "0B" for a container that is gone meanwhile.
[[nodiscard]] std::string size_text(const EngineOptions& options, const std::string& id);

}  // namespace compose::cli
