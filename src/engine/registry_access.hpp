// What is needed to speak with registries, from the environment: proxies, certificates, who may be spoken to without
// TLS, the user's credentials, how patient to be.
#pragma once

#include <map>
#include <stop_token>
#include <string>

#include "image/credentials.hpp"
#include "image/http_client.hpp"
#include "image/interrupt.hpp"
#include "image/registry.hpp"

namespace compose::engine {

class RegistryAccess {
public:
    /// `environment`: HTTPS_PROXY and its like, SSL_CERT_FILE, DOCKER_CONFIG, HOME, COMPOSE_HTTP_TIMEOUT (seconds of
    /// silence), COMPOSE_INSECURE_REGISTRIES (a list with commas).
    RegistryAccess(std::map<std::string, std::string> environment, std::stop_token cancel);

    [[nodiscard]] image::Registry open(const image::Reference& reference);
    [[nodiscard]] image::CredentialFile& credentials() { return credentials_; }
    [[nodiscard]] const image::Interrupt& interrupt() const { return interrupt_; }
    [[nodiscard]] std::string variable(const std::string& name) const;

private:
    std::map<std::string, std::string> environment_;
    image::Interrupt interrupt_;
    image::CredentialFile credentials_;
    image::HttpClient http_;
};

}  // namespace compose::engine
