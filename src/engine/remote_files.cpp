#include "engine/remote_files.hpp"

#include <algorithm>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "build/remote.hpp"
#include "engine/build_fetch.hpp"
#include "engine/copy_folder.hpp"
#include "engine/registry_access.hpp"
#include "image/fetch.hpp"
#include "image/project_artifact.hpp"
#include "image/reference.hpp"
#include "loader/discovery.hpp"
#include "store/layout.hpp"
#include "sys/env.hpp"
#include "sys/file.hpp"
#include "sys/private_path.hpp"

namespace compose::engine {

namespace {

constexpr std::size_t kMaxAddresses = 64;  // of one command: files that name each other must come to an end
constexpr std::string_view kArtifact = "oci://";

/// Files that become one are documents of it, as Docker Compose keeps them.
void write_parts(image::Registry& registry, const image::Manifest& manifest, const std::string& folder) {
    std::string project;
    for (const auto& part : image::parts_of(manifest)) {
        const auto text = image::fetch_small(registry, part.blob, image::kMaxProjectFile, "file");
        if (part.kind == image::PartKind::compose)
            project += (project.empty() ? "" : "\n---\n") + text;
        else
            sys::write_file(folder + "/" + part.name, text, 0600);
    }
    sys::write_file(folder + "/" + std::string(image::kProjectFile), project, 0600);
}

image::Manifest project_manifest(image::Registry& registry, const image::Registry::ManifestReply& reply) {
    auto parsed = image::parse_artifact(reply.text, reply.media_type);
    if (const auto* index = std::get_if<image::Index>(&parsed)) {
        const auto inner = registry.manifest(image::project_in(*index).digest);
        parsed = image::parse_artifact(inner.text, inner.media_type);
    }
    if (auto* manifest = std::get_if<image::Manifest>(&parsed)) return std::move(*manifest);
    throw Error("it is a list of lists without end", ErrorKind::invalid);
}

/// "#main:deploy" may be a folder with a Compose file or such a file itself.
std::string compose_file_in(const std::string& top, const std::string& part) {
    const auto found = build::find_in_checkout(top, part);
    if (!found.folder) return found.path;
    for (const auto& name : default_file_names())
        if (build::is_checkout_file(found.path, name)) return found.path + "/" + name;
    throw make_error(ErrorKind::not_found, "there is no {} in {}", default_file_names().front(),
                     part.empty() ? "the repository" : quote(part));
}

}  // namespace

RemoteFiles::RemoteFiles(std::map<std::string, std::string> environment) : environment_(std::move(environment)) {}

std::string RemoteFiles::folder(const char* kind) const {
    const auto variable = [&](const char* name) {
        const auto found = environment_.find(name);
        return found == environment_.end() ? std::string() : found->second;
    };
    if (sys::running_as_root()) {
        const auto layout = store::Layout::from(variable("COMPOSE_STATE_DIR"), {});
        sys::make_private_directory(layout.state);
        return layout.copies() + "/" + kind;
    }
    auto cache = variable("XDG_CACHE_HOME");
    if (!cache.starts_with('/')) {
        const auto home = variable("HOME");
        if (!home.starts_with('/'))
            throw make_error(ErrorKind::unavailable, "there is no place for what is fetched: HOME is not set");
        cache = home + "/.cache";
    }
    return cache + "/compose/" + kind;
}

bool RemoteFiles::is_disabled(const char* variable) const {
    const auto found = environment_.find(variable);
    if (found == environment_.end()) return false;
    const auto text = lower(found->second);
    return text == "0" || text == "false" || text == "f";
}

std::optional<std::string> RemoteFiles::root_of(const std::string& path) const {
    for (const auto& [root, hosts] : hosts_)
        if (path == root || path.starts_with(root + "/")) return root;
    return std::nullopt;
}

RemoteCopy RemoteFiles::fetch(const std::string& address, const std::string& named_in) {
    if (const auto known = known_.find(address); known != known_.end()) return known->second;
    if (known_.size() >= kMaxAddresses)
        throw make_error(ErrorKind::invalid, "more than {} files lie elsewhere", kMaxAddresses)
            .with_hint("files that name each other over and over cost too much");
    Named by{{}, false};
    if (const auto from = root_of(named_in)) by = {hosts_.at(*from), true};
    auto source = in_context(
        [&] { return "fetch " + quote(build::redacted(address)); },
        [&] { return address.starts_with(kArtifact) ? fetch_artifact(address, by) : fetch_repository(address, by); });
    hosts_[source.copy.root].insert(source.host);
    return known_.emplace(address, std::move(source.copy)).first->second;
}

RemoteFiles::Source RemoteFiles::fetch_artifact(const std::string& address, const Named& by) {
    if (is_disabled("COMPOSE_EXPERIMENTAL_OCI_REMOTE"))
        throw Error("COMPOSE_EXPERIMENTAL_OCI_REMOTE forbids it", ErrorKind::unavailable);
    const auto reference = image::parse_reference(std::string_view(address).substr(kArtifact.size()));
    const auto host = build::host_of(std::string(kArtifact) + reference.registry);
    RegistryAccess access(environment_, {});
    if (by.stranger_to(host)) check_host(host, access.interrupt());
    const auto place = folder("oci");
    const auto finish = [&](const std::string& root) {
        return Source{{root + "/" + std::string(image::kProjectFile), root, address + "/"}, host};
    };
    // What is named by its digest can't have changed: no need to ask for it again.
    if (!reference.digest.empty())
        if (const auto root = find_copy(place, reference.digest.substr(7)); !root.empty()) return finish(root);
    auto registry = access.open(reference);
    const auto reply = registry.manifest(reference.digest.empty() ? reference.tag : reference.digest);
    return finish(keep_copy(place, reply.digest.substr(7), [&](const std::string& folder) {
        write_parts(registry, project_manifest(registry, reply), folder);
    }));
}

RemoteFiles::Source RemoteFiles::fetch_repository(const std::string& address, const Named& by) {
    if (is_disabled("COMPOSE_EXPERIMENTAL_GIT_REMOTE"))
        throw Error("COMPOSE_EXPERIMENTAL_GIT_REMOTE forbids it", ErrorKind::unavailable);
    auto remote = build::parse_remote(address);
    if (!remote || remote->kind != build::Remote::Kind::git)
        throw Error("it is no address of a repository", ErrorKind::invalid)
            .with_hint("one ends in .git; a single file of the web can be read from the input: -f -");
    // The host that will be asked, not one that the address only seems to name.
    const auto host = build::host_of(remote->url);
    check_repository(*remote, by.stranger_to(host) ? NamedBy::dockerfile : NamedBy::user, {});
    const auto part = std::exchange(remote->subfolder, {});
    const auto shown_ref = remote->ref;
    remote->ref = build::resolve_git(*remote);
    const auto key = sha256_hex(remote->url).substr(0, 16) + "-" + remote->ref;
    const auto root =
        keep_copy(folder("git"), key, [&](const std::string& folder) { (void)build::fetch_git(*remote, folder); });
    const auto name =
        build::redacted(remote->url) + "#" + (shown_ref.empty() ? remote->ref.substr(0, 12) : shown_ref) + ":";
    return {{compose_file_in(root, part), root, name}, host};
}

}  // namespace compose::engine
