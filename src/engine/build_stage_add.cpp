// ADD: what COPY can't, addresses and archives.
#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "build/paths.hpp"
#include "build/remote.hpp"
#include "engine/build_archive.hpp"
#include "engine/build_fetch.hpp"
#include "engine/build_stage.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/tree.hpp"

namespace compose::engine {
namespace {

/// What a Dockerfile ADDs is a stranger's word unless the user has allowed this machine's own servers.
NamedBy namer(const BuildRequest& request) {
    const bool all = std::find(request.allow.begin(), request.allow.end(), "network.host") != request.allow.end();
    return all ? NamedBy::trusted : NamedBy::dockerfile;
}

std::string plain_checksum(const std::string& text) {
    if (text.empty()) return {};
    const bool good = text.starts_with("sha256:") && text.size() == 71 &&
                      text.find_first_not_of("0123456789abcdef", 7) == std::string::npos;
    if (!good)
        throw make_error(ErrorKind::invalid, "{} is no checksum", quote(text))
            .with_hint("write --checksum=sha256:<64 hex digits>");
    return text.substr(7);
}

}  // namespace

bool StageBuilder::is_remote(const build::CopyStep& copy, const std::string& source) {
    return copy.add && build::parse_remote(source).has_value();
}

std::string StageBuilder::remote_digest(const build::CopyStep& copy, const std::string& source) {
    const auto remote = *build::parse_remote(source);
    if (remote.kind == build::Remote::Kind::git) {
        const auto& commit = this->commit(source);
        if (!copy.checksum.empty() && (copy.checksum.size() < 7 || !commit.starts_with(copy.checksum)))
            throw make_error(ErrorKind::invalid, "{} is at {}, not at {}", quote(build::redacted(source)), commit,
                             copy.checksum);
        return commit + (copy.keep_git_dir ? " .git" : "") + " " + remote.subfolder;
    }
    if (const auto wanted = plain_checksum(copy.checksum); !wanted.empty()) return wanted;
    return fetch(source).digest;
}

const std::string& StageBuilder::commit(const std::string& source) {
    auto& known = commits_[source];
    if (!known.empty()) return known;
    auto remote = *build::parse_remote(source);
    check_repository(remote, namer(shared_.request), shared_.cancel);
    return known = build::resolve_git(remote);
}

const FetchedFile& StageBuilder::fetch(const std::string& source) {
    const auto known = fetched_.find(source);
    if (known != fetched_.end()) return known->second;
    const auto folder = shared_.workspace.new_folder("add");
    return fetched_[source] = fetch_file(*build::parse_remote(source), folder, namer(shared_.request), shared_.cancel);
}

void StageBuilder::add_remote(const build::CopyStep& copy, const std::string& source, build::TreeWriter& writer) {
    auto remote = *build::parse_remote(source);
    build::FileDigests digests("");
    if (remote.kind == build::Remote::Kind::git) {
        // A branch may have moved since the step's key was made of its commit.
        remote.ref = commit(source);
        check_repository(remote, namer(shared_.request), shared_.cancel);
        const auto folder = build::fetch_git(remote, shared_.workspace.new_folder("add"), copy.keep_git_dir);
        const build::SourceTree tree(sys::open_directory(folder), {}, digests, false);
        return writer.copy(tree, {"", ""}, "/", copy.target);
    }
    const auto& file = fetch(source);
    if (const auto wanted = plain_checksum(copy.checksum); !wanted.empty() && wanted != file.digest)
        throw make_error(ErrorKind::invalid, "{} has the checksum sha256:{}, not sha256:{}",
                         quote(build::redacted(source)), file.digest, wanted)
            .with_hint("somebody changed it, or the checksum is of another file");
    const auto opened = sys::open_for_reading(file.path);
    if (copy.unpack.value_or(false)) return unpack(opened, copy.target, writer);
    sys::set_mtime(opened, file.modified.value_or(0), 0);
    const auto slash = file.path.rfind('/');
    const auto name = file.path.substr(slash + 1);
    const build::SourceTree tree(sys::open_directory(file.path.substr(0, slash)), {}, digests, false);
    writer.copy(tree, {name, name}, name, copy.target);
}

/// False for what is no archive: then it is copied like any file.
bool StageBuilder::add_archive(const build::CopyStep& copy, const build::SourceTree& tree,
                               const build::FoundSource& found, build::TreeWriter& writer) {
    if (!copy.add || !copy.unpack.value_or(true)) return false;
    const auto info = tree.inspect(found.path);
    if (!info || info->kind != sys::FileKind::regular || info->size < 64) return false;
    {
        const auto file = sys::find_regular_file_in_root(tree.root(), found.path);
        if (!file || !is_archive(*file)) return false;
    }
    const auto file = sys::find_regular_file_in_root(tree.root(), found.path);
    if (!file) return false;
    in_context([&] { return "unpack " + quote(found.matched); }, [&] { unpack(*file, copy.target, writer); });
    return true;
}

// First into a folder of its own, where nothing that it names can meet what is in the image; then like a folder.
void StageBuilder::unpack(sys::FdRef archive, const std::string& target, build::TreeWriter& writer) {
    const auto folder = shared_.workspace.new_folder("archive");
    unpack_archive(archive, folder);
    build::FileDigests digests("");
    const build::SourceTree tree(sys::open_directory(folder), {}, digests, true);
    writer.copy(tree, {"", ""}, "/", target.ends_with('/') ? target : target + "/");
}

}  // namespace compose::engine
