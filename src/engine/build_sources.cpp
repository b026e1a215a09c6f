#include "engine/build_sources.hpp"

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "build/paths.hpp"
#include "build/remote.hpp"
#include "image/hashing_pipe.hpp"
#include "image/layer_writer.hpp"
#include "image/tar.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/tree.hpp"

namespace compose::engine {
namespace {

constexpr std::size_t kMaxDockerfile = std::size_t{4} << 20U;
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
        folder = unpack(sys::FdRef(request.context_fd));
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
        throw make_error(ErrorKind::not_found, "there is no {} in {}", quote(name), quote(request_.context))
            .with_hint("name another one with -f or dockerfile:");
    dockerfile_text_ = std::move(*text);
    ignore_name_ = beside.empty() ? ".dockerignore" : dockerfile_name_ + ".dockerignore";
    ignore_text_ = beside.empty() ? read_inside(root, ".dockerignore", kMaxDockerfile).value_or("") : beside;
}

std::string BuildSources::unpack(sys::FdRef tar) {
    auto folder = workspace_.new_folder("context");
    const auto root = sys::open_directory(folder);
    image::HashingPipe source(tar);
    image::TarReader reader(source);
    image::LayerWriter writer(root, true);
    image::TarEntry entry;
    in_context([] { return "unpack the context"; },
               [&] {
                   while (reader.next(entry)) writer.write(entry, reader);
                   writer.finish();
               });
    return folder;
}

std::string BuildSources::fetch(const std::string& address) {
    return build::fetch_remote(*build::parse_remote(address), workspace_.new_folder("context"), cancel_);
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
    return std::nullopt;
}

std::vector<std::string> BuildSources::names() const {
    std::vector<std::string> out;
    for (const auto& [name, where] : request_.contexts) out.push_back(name);
    return out;
}

}  // namespace compose::engine
