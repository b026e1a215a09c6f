// Contexts and sources that lie elsewhere: git repositories and archives. Everything that comes back is hostile: only
// plain transports are used, nothing that looks like an option reaches git, and a subfolder is looked up inside what
// was fetched.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace compose::build {

struct Remote {
    enum class Kind { git, archive };
    Kind kind = Kind::git;
    std::string url;        // without what says which part of it
    std::string ref;        // branch, tag or commit; empty: the default
    std::string subfolder;  // relative, inside
};

/// Nothing for what is no address: then it is a folder. Throws Error(invalid) for addresses that are refused.
[[nodiscard]] std::optional<Remote> parse_remote(std::string_view text);
/// Without user and password: safe to show and keep.
[[nodiscard]] std::string redacted(std::string_view url);
/// The same, as long as before: for texts in which places are counted.
[[nodiscard]] std::string masked(std::string text);
/// Fetches into the empty `folder`; returns the folder of the content (of a git repository without .git unless asked).
[[nodiscard]] std::string fetch_remote(const Remote& remote, const std::string& folder, std::stop_token cancel,
                                       bool keep_git_dir = false);
/// The host of a repository's address, without user and port.
[[nodiscard]] std::string host_of(std::string_view url);
/// What `ref` means in the output of git ls-remote, as git reads it: exact names before tags before branches, and of a
/// tag the commit below it. Empty: it is not there.
[[nodiscard]] std::string commit_of(std::string_view listing, std::string_view ref);
/// The commit that the reference names now. Throws Error when the repository can't be asked.
[[nodiscard]] std::string resolve_git(const Remote& remote);

}  // namespace compose::build
