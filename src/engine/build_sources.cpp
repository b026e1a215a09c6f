#include "engine/build_sources.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "build/paths.hpp"
#include "build/remote.hpp"
#include "engine/build_archive.hpp"
#include "engine/build_fetch.hpp"
#include "engine/layout_context.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/poll.hpp"
#include "sys/tree.hpp"

namespace compose::engine {
namespace {

constexpr std::size_t kMaxDockerfile = std::size_t{4} << 20U;
constexpr std::chrono::milliseconds kGlance{100};  // how late a cancellation may be seen
constexpr std::string_view kImageScheme = "docker-image://";

/// A file of the context, looked up as if the context were the root: no link of a fetched context leads to the host.
std::optional<std::string> read_inside(sys::FdRef root, const std::string& path, std::size_t limit) {
    const auto clean = build::clean_relative(path);
    const auto file = sys::find_regular_file_in_root(root, clean);
    if (!file) return std::nullopt;
    return in_context([&] { return "read " + quote(clean); }, [&] { return sys::read_all(*file, limit); });
}

bool is_address(const std::string& text) {
    return build::parse_remote(text).has_value();
}

}  // namespace

BuildSources::BuildSources(const BuildRequest& request, BuildWorkspace& workspace, const store::Layout& layout,
                           std::stop_token cancel)
    : request_(request), workspace_(workspace), layout_(layout), cancel_(std::move(cancel)) {
    const bool remote = request.context_fd >= 0 || is_address(request.context);
    std::string folder = request.context;
    if (request.context_fd >= 0) {
        folder = context_of(spool(sys::FdRef(request.context_fd)));
    } else if (remote) {
        folder = fetch(request.context);
    } else if (folder.empty()) {
        folder = workspace_.new_folder("empty");
    } else if (!sys::is_directory(folder)) {
        throw make_error(ErrorKind::not_found, "the build context {} is no folder", quote(folder));
    }
    read_dockerfile(folder, remote);
    digests_ = std::make_unique<build::FileDigests>(
        remote || request.context.empty() ? std::string()
                                          : layout_.builds() + "/cache/digests-" + sha256_hex(folder).substr(0, 32));
    auto ignore = in_context([&] { return ignore_name_; }, [&] { return build::DockerIgnore(ignore_text_); });
    context_ = std::make_unique<build::SourceTree>(sys::open_directory(folder), std::move(ignore), *digests_, false);
}

BuildSources::~BuildSources() {
    if (digests_) digests_->save();
    for (auto& [name, folder] : named_)
        if (folder.digests) folder.digests->save();
}

void BuildSources::read_dockerfile(const std::string& folder, bool remote) {
    const auto root = sys::open_directory(folder);
    const auto name = request_.dockerfile.empty() ? std::string("Dockerfile") : request_.dockerfile;
    std::optional<std::string> text = request_.dockerfile_text;
    std::string beside;
    if (text) {
        dockerfile_name_ = "Dockerfile";
    } else if (remote) {
        dockerfile_name_ = name;
        text = read_inside(root, name, kMaxDockerfile);
        if (const auto own = read_inside(root, name + ".dockerignore", kMaxDockerfile)) beside = *own;
    } else {
        auto path = name.starts_with('/') ? name : folder + "/" + name;
        if (!sys::exists(path) && request_.dockerfile.empty() && sys::exists(folder + "/dockerfile"))
            path = folder + "/dockerfile";
        dockerfile_name_ = path.starts_with(folder + "/") ? path.substr(folder.size() + 1) : path;
        if (sys::exists(path)) text = sys::read_file(path, kMaxDockerfile);
        if (sys::exists(path + ".dockerignore")) beside = sys::read_file(path + ".dockerignore", kMaxDockerfile);
    }
    if (!text)
        throw make_error(ErrorKind::not_found, "there is no {} in {}", quote(name),
                         request_.context.empty() ? "the context" : quote(build::redacted(request_.context)))
            .with_hint("name another one with -f or dockerfile:");
    dockerfile_text_ = std::move(*text);
    ignore_name_ = beside.empty() ? ".dockerignore" : dockerfile_name_ + ".dockerignore";
    ignore_text_ = beside.empty() ? read_inside(root, ".dockerignore", kMaxDockerfile).value_or("") : beside;
}

/// Standard input can't be read twice, and what it is shows only when it is read.
std::string BuildSources::spool(sys::FdRef input) {
    auto path = workspace_.new_folder("input") + "/context";
    const auto file = sys::create_file(path, 0600);
    std::string buffer(std::size_t{256} << 10U, '\0');
    for (;;) {
        if (cancel_.stop_requested()) throw Error("the build was given up");
        std::array<sys::PollItem, 1> item{sys::PollItem{.fd = input}};
        if (!sys::poll(item, kGlance)) continue;
        const auto got = sys::read_some(input, std::span(buffer.data(), buffer.size()));
        if (got && *got == 0) return path;
        if (got) sys::write_all(file, {buffer.data(), *got});
    }
}

/// An archive is the context; a text is a Dockerfile without one.
std::string BuildSources::context_of(const std::string& file) {
    auto folder = workspace_.new_folder("context");
    if (is_archive(sys::open_for_reading(file))) {
        in_context([] { return "unpack the context"; }, [&] { unpack_archive(sys::open_for_reading(file), folder); });
    } else {
        const auto text = sys::read_file(file, kMaxDockerfile);
        if (text.find('\0') != std::string::npos)
            throw Error("the context is neither an archive nor a Dockerfile", ErrorKind::invalid)
                .with_hint("a tar may be plain or compressed with gzip or zstd");
        if (!request_.dockerfile.empty())
            throw make_error(ErrorKind::invalid, "the context is a Dockerfile itself: there is no {} in it",
                             quote(request_.dockerfile))
                .with_hint("leave -f out, or give an archive");
        sys::write_file(folder + "/Dockerfile", text, 0644);
    }
    sys::remove_tree(file);
    return folder;
}

std::string BuildSources::fetch(const std::string& address) {
    const auto remote = *build::parse_remote(address);
    if (remote.kind == build::Remote::Kind::git) {
        const auto keep = request_.args.find("BUILDKIT_CONTEXT_KEEP_GIT_DIR");
        return build::fetch_git(remote, workspace_.new_folder("context"),
                                keep != request_.args.end() && (keep->second == "1" || keep->second == "true"));
    }
    const bool all = std::find(request_.allow.begin(), request_.allow.end(), "network.host") != request_.allow.end();
    const auto file =
        fetch_file(remote, workspace_.new_folder("download"), all ? NamedBy::trusted : NamedBy::user, cancel_);
    return in_context([&] { return "context " + quote(build::redacted(remote.url)); },
                      [&] { return context_of(file.path); });
}

BuildSources::Folder BuildSources::open_folder(const std::string& path, const std::string& ignore_text,
                                               const std::string& name) {
    Folder out;
    out.digests =
        std::make_unique<build::FileDigests>(layout_.builds() + "/cache/digests-" + sha256_hex(path).substr(0, 32));
    auto ignore = in_context([&] { return "context " + name; }, [&] { return build::DockerIgnore(ignore_text); });
    out.tree = std::make_unique<build::SourceTree>(sys::open_directory(path), std::move(ignore), *out.digests, false);
    return out;
}

const build::SourceTree* BuildSources::named_folder(const std::string& name) {
    const std::lock_guard lock(mutex_);
    if (const auto known = named_.find(name); known != named_.end()) return known->second.tree.get();
    const auto given = request_.contexts.find(name);
    if (given == request_.contexts.end() || named_image(name)) return nullptr;
    auto folder = given->second;
    if (is_address(folder))
        folder = fetch(folder);
    else if (!sys::is_directory(folder))
        throw make_error(ErrorKind::not_found, "the context {} is {}, which is no folder", quote(name), quote(folder));
    const auto root = sys::open_directory(folder);
    auto& made = named_[name];
    made = open_folder(folder, read_inside(root, ".dockerignore", kMaxDockerfile).value_or(""), name);
    return made.tree.get();
}

std::optional<std::string> BuildSources::named_image(const std::string& name) const {
    const auto given = request_.contexts.find(name);
    if (given == request_.contexts.end()) return std::nullopt;
    const auto& text = given->second;
    if (text.starts_with(kImageScheme)) return text.substr(kImageScheme.size());
    if (text.starts_with(kLayoutScheme)) return text;
    return std::nullopt;
}

std::vector<std::string> BuildSources::names() const {
    std::vector<std::string> out;
    for (const auto& [name, where] : request_.contexts) out.push_back(name);
    return out;
}

}  // namespace compose::engine
