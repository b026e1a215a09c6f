// Compose files that lie elsewhere: artifacts of a registry and git repositories. What comes back is kept in folders of
// ours and is a stranger's: names are checked, links that lead out are not followed, and what a fetched file names in
// turn must not be a server that only this machine can reach.
//
//   <copies>/oci/<digest>/           an artifact's files, by the digest of its manifest
//   <copies>/git/<address>-<commit>/ a repository's files, without .git
#pragma once

#include <compose/load.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace compose::engine {

class RemoteFiles {
public:
    /// `environment`: what registry_access.hpp takes, COMPOSE_STATE_DIR, XDG_CACHE_HOME and HOME. Those who are not
    /// root keep their copies with their own files.
    explicit RemoteFiles(std::map<std::string, std::string> environment);

    /// `named_in`: the path of the file or folder that holds the address.
    RemoteCopy fetch(const std::string& address, const std::string& named_in);
    /// The folder of ours that `path` lies in; nothing for the user's own files.
    [[nodiscard]] std::optional<std::string> root_of(const std::string& path) const;

private:
    struct Source {
        RemoteCopy copy;
        std::string host;
    };
    /// Who names an address: the user, or a file that came from these hosts. Where it came from it may point to again.
    struct Named {
        std::set<std::string> hosts;
        bool by_stranger = false;
        [[nodiscard]] bool stranger_to(const std::string& host) const { return by_stranger && !hosts.contains(host); }
    };
    [[nodiscard]] Source fetch_artifact(const std::string& address, const Named& by);
    [[nodiscard]] Source fetch_repository(const std::string& address, const Named& by);
    [[nodiscard]] std::string folder(const char* kind) const;
    [[nodiscard]] bool is_disabled(const char* variable) const;

    std::map<std::string, std::string> environment_;
    std::map<std::string, RemoteCopy> known_;             // by address
    std::map<std::string, std::set<std::string>> hosts_;  // of a root: where it came from
};

}  // namespace compose::engine
