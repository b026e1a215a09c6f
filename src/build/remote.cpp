#include "build/remote.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/base64.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "build/paths.hpp"
#include "sys/command.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/tree.hpp"

namespace compose::build {

namespace {

constexpr std::chrono::minutes kGitTimeout{10};

bool is_git(std::string_view url) {
    if (url.starts_with("git://") || url.starts_with("git@") || url.starts_with("ssh://")) return true;
    if (url.starts_with("github.com/")) return true;
    const bool http = url.starts_with("http://") || url.starts_with("https://");
    return http && url.substr(0, url.find('?')).ends_with(".git");
}

/// Nothing that git could take for an option or a helper to run.
void check_url(const std::string& url) {
    const bool plain = url.starts_with("https://") || url.starts_with("http://") || url.starts_with("git://") ||
                       url.starts_with("ssh://") || url.starts_with("git@");
    const bool odd =
        std::any_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; });
    if (!plain || odd || url.find("::") != std::string::npos)
        throw make_error(ErrorKind::invalid, "{} is no address of a repository", quote(redacted(url)))
            .with_hint("use https://, ssh:// or git@host:path");
    // ssh would take a host that begins with a dash for an option.
    const auto at = url.find("://");
    auto host = std::string_view(url).substr(at == std::string::npos ? 0 : at + 3);
    if (const auto user = host.substr(0, host.find('/')).rfind('@'); user != std::string_view::npos)
        host.remove_prefix(user + 1);
    if (host.empty() || host.front() == '-')
        throw make_error(ErrorKind::invalid, "{} names no host", quote(redacted(url)));
}

void check_ref(const std::string& ref) {
    if (ref.empty()) return;
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '.' ||
               c == '-' || c == '_' || c == '+' || c == '@';
    };
    if (ref.front() == '-' || ref.find("..") != std::string::npos || ref.find("@{") != std::string::npos ||
        !std::all_of(ref.begin(), ref.end(), good))
        throw make_error(ErrorKind::invalid, "{} can't be a branch, tag or commit", quote(ref));
}

void check_subfolder(const std::string& folder) {
    for (const auto& part : split(folder, '/'))
        if (part == "..")
            throw make_error(ErrorKind::invalid, "the subfolder {} leads out of the repository", quote(folder));
    if (folder.find('\0') != std::string::npos) throw Error("the subfolder contains a NUL", ErrorKind::invalid);
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned value = 0;
        const auto* digits = text.data() + i + 1;
        if (text[i] == '%' && i + 2 < text.size() && std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2) {
            out += static_cast<char>(value);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

/// "https://user:password@host/x" without what stands before the "@".
void take_login(Remote& remote) {
    if (!remote.url.starts_with("http://") && !remote.url.starts_with("https://")) return;
    const auto begin = remote.url.find("://") + 3;
    const auto end = std::min(remote.url.find_first_of("/?#", begin), remote.url.size());
    const auto at = remote.url.rfind('@', end == 0 ? 0 : end - 1);
    if (at == std::string::npos || at < begin) return;
    remote.login = percent_decoded(std::string_view(remote.url).substr(begin, at - begin));
    if (remote.login.find(':') == std::string::npos) remote.login += ':';
    remote.url.erase(begin, at + 1 - begin);
    if (std::any_of(remote.login.begin(), remote.login.end(),
                    [](char c) { return static_cast<unsigned char>(c) < ' '; }))
        throw make_error(ErrorKind::invalid, "the user of {} holds a control character", quote(remote.url));
}

void take_fragment(Remote& remote) {
    const auto hash = remote.url.find('#');
    if (hash != std::string::npos) {
        const auto fragment = remote.url.substr(hash + 1);
        remote.url.resize(hash);
        const auto colon = fragment.find(':');
        remote.ref = fragment.substr(0, colon);
        if (colon != std::string::npos) remote.subfolder = fragment.substr(colon + 1);
        return;
    }
    const auto question = remote.url.find('?');
    if (question == std::string::npos) return;
    const auto query = remote.url.substr(question + 1);
    remote.url.resize(question);
    for (const auto& part : split(query, '&')) {
        const auto equals = part.find('=');
        const auto key = part.substr(0, equals);
        const auto value = equals == std::string::npos ? std::string() : part.substr(equals + 1);
        if (key == "branch" || key == "tag" || key == "ref" || key == "commit" || key == "checksum")
            remote.ref = value;
        else if (key == "subdir")
            remote.subfolder = value;
        else
            throw make_error(ErrorKind::invalid, "unknown part {} in an address of a repository", quote(key))
                .with_hint("use branch=, tag=, ref=, commit= or subdir=");
    }
}

/// The user and the password go by the environment: a command line is everybody's to read.
sys::CommandResult git(const Remote& remote, const std::vector<std::string>& arguments, const std::string& folder) {
    sys::Command command;
    command.argv = {"git",
                    // Only transports that run nothing of the repository's choice, no hooks, no helpers of its own.
                    "-c", "protocol.allow=never", "-c", "protocol.https.allow=always", "-c",
                    "protocol.http.allow=always", "-c", "protocol.git.allow=always", "-c", "protocol.ssh.allow=always",
                    "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.symlinks=true", "-c",
                    "submodule.recurse=false", "-c", "advice.detachedHead=false", "-c", "http.followRedirects=false"};
    if (!remote.pinned.empty()) command.argv.insert(command.argv.end(), {"-c", "http.curloptResolve=" + remote.pinned});
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.working_dir = folder;
    auto environment = sys::environment_snapshot();
    environment["GIT_TERMINAL_PROMPT"] = "0";
    environment["GIT_CONFIG_NOSYSTEM"] = "1";
    environment["GIT_LFS_SKIP_SMUDGE"] = "1";
    for (const char* name : {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_EXTERNAL_DIFF"})
        environment.erase(name);
    if (!remote.login.empty()) {
        environment["GIT_CONFIG_COUNT"] = "1";
        environment["GIT_CONFIG_KEY_0"] = "http.extraHeader";
        environment["GIT_CONFIG_VALUE_0"] = "Authorization: Basic " + base64_encode(remote.login);
    }
    command.environment = environment;
    command.timeout = kGitTimeout;
    command.output_limit = std::size_t{1} << 20U;
    return sys::run_command(command);
}

std::string last_line(std::string_view text) {
    text = trim(text);
    const auto newline = text.rfind('\n');
    return std::string(newline == std::string_view::npos ? text : text.substr(newline + 1));
}

void must(const sys::CommandResult& result, const Remote& remote, const char* doing) {
    if (result.ok()) return;
    auto error = make_error("{} {}: {}", doing, quote(redacted(remote.url)),
                            result.timed_out ? std::string("it took too long") : redacted(last_line(result.err)));
    if (result.err.find("returned error: 30") != std::string::npos)
        error.with_hint("redirects are not followed: write the address that it leads to");
    throw error;
}

bool is_commit(const std::string& ref) {
    return ref.size() == 40 && ref.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string fetch_whole(const Remote& remote, const std::string& folder, bool keep_git_dir) {
    must(git(remote, {"init", "--quiet", "--template=", "."}, folder), remote, "prepare for");
    const auto wanted = remote.ref.empty() ? std::string("HEAD") : remote.ref;
    auto done =
        git(remote, {"fetch", "--quiet", "--depth=1", "--no-tags", "--end-of-options", remote.url, wanted}, folder);
    if (!done.ok() && is_commit(wanted))
        // The server gives no single commits: all that it has, and the commit is looked up there.
        done = git(remote,
                   {"fetch", "--quiet", "--end-of-options", remote.url, "+refs/heads/*:refs/remotes/all/*",
                    "+refs/tags/*:refs/tags/*"},
                   folder);
    must(done, remote, "fetch");
    const auto target = is_commit(wanted) ? wanted : std::string("FETCH_HEAD");
    must(git(remote, {"checkout", "--quiet", "--force", "--detach", target, "--"}, folder), remote, "check out");
    if (!keep_git_dir) sys::remove_tree(folder + "/.git");
    return folder;
}

}  // namespace

std::optional<Remote> parse_remote(std::string_view text) {
    Remote remote;
    remote.url = std::string(text);
    take_login(remote);
    if (is_git(text.substr(0, text.find('#')))) {
        take_fragment(remote);
        if (remote.url.starts_with("github.com/")) remote.url = "https://" + remote.url;
        check_url(remote.url);
        check_ref(remote.ref);
        check_subfolder(remote.subfolder);
        return remote;
    }
    if (text.starts_with("http://") || text.starts_with("https://")) {
        remote.kind = Remote::Kind::archive;
        return remote;
    }
    const auto scheme = text.substr(0, text.find("://"));
    const bool has_scheme =
        scheme.size() != text.size() && !scheme.empty() && scheme.find('/') == std::string_view::npos;
    if (has_scheme || text.find("::") != std::string_view::npos)
        throw make_error(ErrorKind::invalid, "{} is no folder, and no address that is understood",
                         quote(redacted(text)));
    return std::nullopt;
}

std::string redacted(std::string_view url) {
    std::string out(url);
    for (auto at = out.find("://"); at != std::string::npos; at = out.find("://", at + 3)) {
        const auto end = std::min(out.find_first_of("/?# \t\n", at + 3), out.size());
        const auto user = out.rfind('@', end);
        if (user == std::string::npos || user < at + 3) continue;
        out.replace(at + 3, user - at - 3, "xxxxx");
    }
    return out;
}

std::string masked(std::string text) {
    for (auto at = text.find("://"); at != std::string::npos; at = text.find("://", at + 3)) {
        const auto end = std::min(text.find_first_of("/?# \t\n", at + 3), text.size());
        const auto user = text.rfind('@', end);
        if (user == std::string::npos || user < at + 3) continue;
        std::fill(text.begin() + static_cast<std::ptrdiff_t>(at + 3), text.begin() + static_cast<std::ptrdiff_t>(user),
                  'x');
    }
    return text;
}

std::string fetch_git(const Remote& remote, const std::string& folder, bool keep_git_dir) {
    auto top = fetch_whole(remote, folder, keep_git_dir);
    if (remote.subfolder.empty()) return top;
    const auto found = find_in_checkout(top, remote.subfolder);
    if (!found.folder)
        throw make_error(ErrorKind::not_found, "there is no folder {} in the repository", quote(remote.subfolder));
    return found.path;
}

CheckoutEntry find_in_checkout(const std::string& top, const std::string& path) {
    // What is a folder of the repository may be a link in it: every step is looked at as what it is.
    const auto root = sys::open_directory(top);
    CheckoutEntry out{top, true};
    std::string walked;
    for (const auto& part : split(clean_relative(path), '/')) {
        if (part.empty()) continue;
        walked += (walked.empty() ? "" : "/") + part;
        const auto parent =
            sys::find_directory_in_root(root, std::string(parent_path(walked).empty() ? "." : parent_path(walked)));
        const auto info = parent && out.folder ? sys::inspect_at(*parent, part) : std::nullopt;
        out.folder = info && info->kind == sys::FileKind::directory;
        if (!info || (!out.folder && info->kind != sys::FileKind::regular))
            throw make_error(ErrorKind::not_found, "there is no folder {} in the repository", quote(path));
        out.path = top + "/" + walked;
    }
    return out;
}

bool is_checkout_file(const std::string& folder, const std::string& name) {
    const auto info = sys::inspect_at(sys::open_directory(folder), name);
    return info && info->kind == sys::FileKind::regular;
}

std::string host_of(std::string_view url) {
    const auto at = url.find("://");
    auto host = at == std::string_view::npos ? url : url.substr(at + 3);
    host = host.substr(0, host.find('/'));
    if (const auto user = host.rfind('@'); user != std::string_view::npos) host.remove_prefix(user + 1);
    if (host.starts_with('[')) return lower(host.substr(1, host.find(']') - 1));
    return lower(host.substr(0, host.find(':')));
}

std::string commit_of(std::string_view listing, std::string_view ref) {
    std::map<std::string, std::string> found;
    for (const auto& line : split(std::string(listing), '\n')) {
        const auto tab = line.find('\t');
        if (tab == std::string::npos || !is_commit(line.substr(0, tab))) continue;
        found[line.substr(tab + 1)] = line.substr(0, tab);
    }
    // A listing also holds every name that ends like the one asked for: main, and feature/main.
    for (const char* prefix : {"", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"}) {
        const auto name = prefix + std::string(ref);
        if (const auto peeled = found.find(name + "^{}"); peeled != found.end()) return peeled->second;
        if (const auto plain = found.find(name); plain != found.end()) return plain->second;
    }
    return {};
}

std::string resolve_git(const Remote& remote) {
    if (is_commit(remote.ref)) return remote.ref;
    const auto wanted = remote.ref.empty() ? std::string("HEAD") : remote.ref;
    const auto done =
        git(remote, {"ls-remote", "--quiet", "--end-of-options", remote.url, wanted, wanted + "^{}"}, "/");
    must(done, remote, "ask");
    auto commit = commit_of(done.out, wanted);
    if (commit.empty())
        throw make_error(ErrorKind::not_found, "{} has no {}", quote(redacted(remote.url)), quote(wanted));
    return commit;
}

}  // namespace compose::build
