// The grammar of .env files, env_file and label_file: text to keys and values in order, each with its place.
#pragma once

#include <compose/diagnostics.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "loader/expand.hpp"

namespace compose {

struct DotenvEntry {
    std::string key;
    std::optional<std::string> value;  // nothing: a bare key that is set nowhere
    SourcePos pos;
};

/// Reads the text that `findings.sources` holds under `file`. Expressions and bare keys look into `environment` first,
/// then into `earlier` and the keys above. What is wrong is reported and its line left out.
[[nodiscard]] std::vector<DotenvEntry> parse_dotenv(std::uint32_t file,
                                                    const std::map<std::string, std::string>& environment,
                                                    const std::map<std::string, std::string>& earlier,
                                                    Diagnostics& findings);

/// `format: raw`: the rest of a line is the value as it stands; no quotes, no expressions, comments only on lines of
/// their own.
[[nodiscard]] std::vector<DotenvEntry> parse_raw_env(std::uint32_t file,
                                                     const std::map<std::string, std::string>& environment,
                                                     Diagnostics& findings);

}  // namespace compose
