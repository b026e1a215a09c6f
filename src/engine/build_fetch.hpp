// What builds fetch from other machines: files for ADD and contexts, and whom they may ask.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "build/remote.hpp"
#include "image/interrupt.hpp"

namespace compose::engine {

struct FetchedFile {
    std::string path;
    std::string digest;                    // SHA-256, 64 hex digits
    std::optional<std::int64_t> modified;  // seconds since 1970, as the server says
};

/// Who names an address decides how far it reaches.
enum class NamedBy {
    dockerfile,  // a stranger: nothing on this machine and its local link, which only the host can reach
    user,        // may name any host; where that one redirects to is a stranger's word again
    trusted,     // the user has allowed it all
};

/// Into `folder`, under the last part of the address's path. Follows redirects; every host on the way is checked.
[[nodiscard]] FetchedFile fetch_file(const build::Remote& remote, const std::string& folder, NamedBy who,
                                     const std::stop_token& cancel);

/// Makes sure that a repository's host is no address of this machine and its local link, by name neither, and that it
/// means the same when git asks for it.
void check_repository(build::Remote& remote, NamedBy who, const std::stop_token& cancel);

/// The same for a host that a stranger names: refuses addresses of this machine and its local link, by name neither.
void check_host(const std::string& host, const image::Interrupt& interrupt);

}  // namespace compose::engine
