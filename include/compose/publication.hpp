// A project as others get it from a registry: its files, made such that they need nothing of this machine, and what a
// person should know before they leave it.
#pragma once

#include <compose/engine.hpp>
#include <compose/load.hpp>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

namespace compose {

struct PublishedFile {
    enum class Kind {
        compose,
        extended,   // what `extends` of another one names
        variables,  // an env file
    };
    Kind kind = Kind::compose;
    std::string name;  // without a folder
    std::string text;
};

/// Something that others will see, or miss.
struct PublicationConcern {
    enum class Kind {
        bind_mount,      // "/home/me/data:/data"
        secret,          // what looks like a key or a token, shortened
        env_file,        // a path
        literal,         // of a variable that is called like a password: the variable
        config_content,  // of `configs`, written out
        left_behind,     // a file that the project needs and that is not published
    };
    Kind kind = Kind::bind_mount;
    std::string place;  // "services.web", "compose.yaml:12"
    std::string text;
};

struct Publication {
    std::vector<PublishedFile> files;  // in the order in which they count
    std::vector<PublicationConcern> concerns;
};

/// `loaded` by `request`, with all profiles; `variables` are env files too. What keeps it from being published goes to
/// `findings`: files that are included from here, services that have nothing but a build. Never throws for a file's
/// content.
[[nodiscard]] Publication make_publication(const LoadedProject& loaded, const LoadRequest& request, bool variables,
                                           FileSource& files, Diagnostics& findings);

struct PublishOptions {
    std::string reference;                           // "registry/team/app:1"
    std::string oci_version;                         // "1.0" or "1.1"; empty: 1.1, and 1.0 where that is not taken
    std::vector<std::string> images;                 // that are copied beside it
    std::map<std::string, std::string> environment;  // as make_local_files() takes it
};

/// Throws Error(usage) for a reference or a version that can't be. publish_project() does so, too.
void check_publish_options(const PublishOptions& options);
/// Returns the digest of its manifest.
std::string publish_project(const std::vector<PublishedFile>& files, const PublishOptions& options,
                            const EngineOptions& engine, EventSink& events, std::stop_token cancel = {});

}  // namespace compose
