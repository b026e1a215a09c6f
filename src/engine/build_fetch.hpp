// One file from the web, for ADD.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

namespace compose::engine {

struct FetchedFile {
    std::string path;
    std::string digest;                    // SHA-256, 64 hex digits
    std::optional<std::int64_t> modified;  // seconds since 1970, as the server says
};

/// Into `folder`, under the last part of the address's path. Follows redirects. Addresses of this machine and of the
/// local link are refused unless `allow_local`: a Dockerfile must not read what only the host can reach.
[[nodiscard]] FetchedFile fetch_file(const std::string& url, const std::string& folder, bool allow_local,
                                     const std::stop_token& cancel);

}  // namespace compose::engine
