// Contexts and sources that lie elsewhere: what their addresses mean, and git repositories. Everything that comes back
// is hostile: only plain transports are used, nothing that looks like an option reaches git, and a subfolder is looked
// up inside what was fetched.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace compose::build {

struct Remote {
    enum class Kind { git, archive };
    Kind kind = Kind::git;
    std::string url;        // without user and password, and what says which part of it
    std::string ref;        // branch, tag or commit; empty: the default
    std::string subfolder;  // relative, inside
    std::string login;      // "user:password", of http and https; shown nowhere
    std::string pinned;     // "host:port:address": what the host's name means for this fetch, of http and https
};

/// Nothing for what is no address: then it is a folder. Throws Error(invalid) for addresses that are refused.
[[nodiscard]] std::optional<Remote> parse_remote(std::string_view text);
/// Without user and password: safe to show and keep.
[[nodiscard]] std::string redacted(std::string_view url);
/// The same, as long as before: for texts in which places are counted.
[[nodiscard]] std::string masked(std::string text);
/// Fetches a repository into the empty `folder`; returns the folder of the content (without .git unless asked). Follows
/// no redirects: a repository is where its address says, not where its server sends us.
[[nodiscard]] std::string fetch_git(const Remote& remote, const std::string& folder, bool keep_git_dir = false);
/// What is at `path` ("deploy/compose.yaml") below the folder `top` that fetch_git() has filled. Throws
/// Error(not_found) when there is no such folder or regular file, or a link is on the way: it could lead anywhere.
struct CheckoutEntry {
    std::string path;     // absolute
    bool folder = false;  // else a regular file
};
[[nodiscard]] CheckoutEntry find_in_checkout(const std::string& top, const std::string& path);
/// Is there a regular file, and no link, of that name?
[[nodiscard]] bool is_checkout_file(const std::string& folder, const std::string& name);
/// The host of a repository's address, without user and port.
[[nodiscard]] std::string host_of(std::string_view url);
/// What `ref` means in the output of git ls-remote, as git reads it: exact names before tags before branches, and of a
/// tag the commit below it. Empty: it is not there.
[[nodiscard]] std::string commit_of(std::string_view listing, std::string_view ref);
/// The commit that the reference names now. Throws Error when the repository can't be asked.
[[nodiscard]] std::string resolve_git(const Remote& remote);

}  // namespace compose::build
