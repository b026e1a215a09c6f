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

/// Refuses addresses of this machine and of the local link unless `allow_local`: a Dockerfile must not read what only
/// the host can reach.
void check_fetch_host(const std::string& host, bool allow_local);

/// Into `folder`, under the last part of the address's path. Follows redirects; every host on the way is checked.
[[nodiscard]] FetchedFile fetch_file(const std::string& url, const std::string& folder, bool allow_local,
                                     const std::stop_token& cancel);

}  // namespace compose::engine
