// Who the user is at which registry: ~/.docker/config.json, credential stores and helpers. Knows nothing of protocols.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace compose::image {

struct Credentials {
    std::string user;
    std::string secret;
    bool identity_token = false;  // `secret` is an OAuth2 refresh token
};

class CredentialFile {
public:
    /// $DOCKER_CONFIG/config.json, else $HOME/.docker/config.json. Helpers run with `environment`.
    explicit CredentialFile(std::map<std::string, std::string> environment);

    /// `registry` as references have it ("docker.io", "localhost:5000"). Nothing: none are stored. A helper that fails,
    /// or a file that can't be read, is an Error: going on without a name could ask the wrong one.
    [[nodiscard]] std::optional<Credentials> find(const std::string& registry) const;
    /// Everybody's, by the key under which Docker keeps a registry; helpers are asked for theirs. Throws as find().
    [[nodiscard]] std::map<std::string, Credentials> all() const;
    /// Where they went: a helper's name, or the file's path.
    std::string store(const std::string& registry, const Credentials& credentials);
    /// False when there were none.
    bool erase(const std::string& registry);
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    [[nodiscard]] std::optional<Credentials> ask(const std::string& helper, const std::string& key) const;
    [[nodiscard]] std::string helper_for(const std::string& registry) const;
    std::map<std::string, std::string> environment_;
    std::string path_;
};

/// The key under which Docker keeps a registry: "https://index.docker.io/v1/" for Docker Hub, else the name.
[[nodiscard]] std::string credential_key(const std::string& registry);

/// A config.json that holds them, and nothing else.
[[nodiscard]] std::string render_credentials(const std::map<std::string, Credentials>& all);

}  // namespace compose::image
