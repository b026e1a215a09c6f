// Images: what a front end can ask for about them. Like Engine it never prints or prompts: progress goes to an
// EventSink, failures come as Error. Networks and files are touched, containers are not.
#pragma once

#include <compose/engine.hpp>
#include <compose/events.hpp>
#include <compose/project.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace compose {

struct PullOptions {
    std::string platform;  // empty: $DOCKER_DEFAULT_PLATFORM, else this machine's
    bool all_tags = false;
    bool quiet = false;  // no events of layers
};

struct PulledImage {
    std::string name;      // in full: "docker.io/library/busybox:latest"
    std::string familiar;  // "busybox:latest"
    std::string digest;    // of what the name stands for
    bool changed = true;   // false: it stood for this image before
};

/// How `compose pull` treats the services of a project.
struct PullServicesOptions {
    std::vector<std::string> services;  // empty: all
    bool include_deps = false;
    bool ignore_buildable = false;
    bool ignore_failures = false;
    bool quiet = false;
    std::string policy;  // empty, "missing" or "always"
};

struct PushServicesOptions {
    std::vector<std::string> services;
    bool include_deps = false;
    bool ignore_failures = false;
    bool quiet = false;
};

struct HistoryView {
    std::string id;  // of the image, on its newest line; else empty
    std::int64_t created_at = 0;
    std::string created_by;
    std::int64_t size = 0;  // -1: not known
    std::string comment;
};

/// One name of an image, or an image without a name ("<none>").
struct ImageListing {
    std::string id;
    std::string repository;
    std::string tag;
    std::string digest;  // "sha256:..." in that repository; "<none>" when no registry has named it
    std::int64_t size = 0;
    std::int64_t created_at = 0;
    std::string platform;
    Labels labels;
    int containers = 0;
};

struct ImageListOptions {
    bool all = false;
    std::vector<std::pair<std::string, std::string>> filters;  // dangling, label, before, since, until, reference
    std::string reference;                                     // "debian", "debian:*"; empty: all
};

/// The image of one container, for `compose images`.
struct ContainerImage {
    std::string container;
    std::string repository, tag, id, platform;
    std::int64_t size = 0;
    std::int64_t created_at = 0;
    std::int64_t tagged_at = 0;  // when it last got a name; 0: it has none
};

struct SaveOptions {
    std::string format = "docker";  // an OCI layout that Docker reads too; "oci": without Docker's own files
};

struct LoadOptions {
    std::string folder{};    // an OCI layout's; empty: a tar is read
    std::string platform{};  // of those that the archive has; empty: this machine's, else whichever there is
};

struct PruneOptions {
    bool all = false;                                          // also images with a name that no container uses
    std::vector<std::pair<std::string, std::string>> filters;  // until, label
};
struct PruneResult {
    std::vector<std::string> lines;  // "untagged: x", "deleted: sha256:..."
    std::int64_t freed = 0;
};

struct BootstrapOptions {
    std::string name;  // "debian:bookworm-slim": the suite is the tag without "-slim"
    std::vector<std::string> include;
    std::string mirror;  // empty: this machine's own package sources, else the distribution's
};

struct LoginOptions {
    std::string registry;  // empty: Docker Hub
    std::string user;
    std::string password;
};

class Images {
public:
    Images(EngineOptions options, EventSink& events);
    ~Images();
    Images(const Images&) = delete;
    Images& operator=(const Images&) = delete;

    /// One a tag.
    std::vector<PulledImage> pull(const std::string& reference, const PullOptions& options,
                                  std::stop_token cancel = {});
    /// Returns "name: digest: sha256:... size: N" lines.
    std::vector<std::string> push(const std::string& reference, bool all_tags, bool quiet, std::stop_token cancel = {});
    void pull_services(const Project& project, const PullServicesOptions& options, std::stop_token cancel = {});
    void push_services(const Project& project, const PushServicesOptions& options, std::stop_token cancel = {});
    /// What up() would fetch before it starts. Nothing is done when everything is here.
    void prepare(const Project& project, const std::vector<std::string>& services, std::stop_token cancel = {});

    void tag(const std::string& source, const std::string& target);
    [[nodiscard]] std::vector<ImageListing> list(const ImageListOptions& options);
    [[nodiscard]] std::vector<ContainerImage> of_containers(const std::string& project,
                                                            const std::vector<std::string>& services);
    [[nodiscard]] std::vector<HistoryView> history(const std::string& reference);
    /// Docker's image object as JSON.
    [[nodiscard]] std::string inspect(const std::string& reference);
    /// By name, digest or id; returns "Untagged: x" and "Deleted: sha256:..." lines.
    std::vector<std::string> remove(const std::string& reference, bool force, bool no_prune = false);
    PruneResult prune(const PruneOptions& options);

    /// As a tar to `fd`.
    void save(const std::vector<std::string>& references, const SaveOptions& options, int fd,
              std::stop_token cancel = {});
    /// From a tar, plain or compressed, or from a folder. Returns "Loaded image: x".
    std::vector<std::string> load(int fd, const LoadOptions& options, std::stop_token cancel = {});
    /// Makes a base image of a distribution's packages with mmdebstrap; returns its id.
    std::string bootstrap(const BootstrapOptions& options, std::stop_token cancel = {});

    /// Checks the name and password at the registry, then stores them; returns where they are stored.
    std::string login(const LoginOptions& options, std::stop_token cancel = {});
    /// False when nobody was logged in.
    bool logout(const std::string& registry);
    /// The user's name that is stored for the registry, or empty.
    [[nodiscard]] std::string stored_user(const std::string& registry);

    /// "name@sha256:..." for `config --resolve-image-digests`: asked of the registry, nothing is pulled.
    [[nodiscard]] std::string resolve_digest(const std::string& reference, std::stop_token cancel = {});

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace compose
