// Connections to servers: which way (directly or through a proxy), with which certificates, plain HTTP only where that
// is allowed; idle ones are kept for the next request. Threads may share a client.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "image/http.hpp"
#include "image/interrupt.hpp"
#include "image/stream.hpp"
#include "image/url.hpp"

namespace compose::image {

struct HttpSettings {
    /// HTTPS_PROXY, HTTP_PROXY, NO_PROXY (either case), SSL_CERT_FILE.
    std::map<std::string, std::string> environment;
    /// "host" or "host:port" whose certificates are not checked and who may be spoken to without TLS.
    std::vector<std::string> insecure;
    /// Folders with <host[:port]>/*.crt, *.cert and *.key.
    std::vector<std::string> certificate_folders{"/etc/docker/certs.d", "/etc/containers/certs.d"};
    /// Without a proxy: no name may lead to an address of this machine or its local link.
    bool only_elsewhere = false;
    std::string user_agent = "compose";
    std::chrono::milliseconds connect_timeout{15'000};
    std::chrono::milliseconds stall{30'000};
};

class HttpClient {
public:
    HttpClient(HttpSettings settings, const Interrupt& interrupt);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    struct Reply {
        HttpHead head;
        std::unique_ptr<HttpExchange> body;
        Url url;
    };
    /// One request, no redirects followed. `request.target` and `request.host` are filled in from `url`. Throws NotTls.
    [[nodiscard]] Reply send(const Url& url, HttpRequest request);
    /// Gives the connection back for the next request, if its body was read to the end.
    void done(Reply& reply);

    /// Is it listed as insecure?
    [[nodiscard]] bool is_insecure(const Url& url) const;
    /// May it be spoken to without TLS?
    [[nodiscard]] bool may_be_plain(const Url& url) const;
    [[nodiscard]] const Interrupt& interrupt() const { return interrupt_; }
    [[nodiscard]] const HttpSettings& settings() const { return settings_; }

private:
    struct Proxy {
        Url url;
        std::string authorization;  // of the proxy's own user, or empty
    };
    [[nodiscard]] std::optional<Proxy> proxy_for(const Url& url) const;
    [[nodiscard]] std::unique_ptr<Stream> connect(const Url& url, const std::optional<Proxy>& proxy);
    [[nodiscard]] std::unique_ptr<Stream> idle(const std::string& origin);
    [[nodiscard]] const TlsTrust& trust_for(const Url& url);
    [[nodiscard]] std::string variable(const std::string& name) const;

    HttpSettings settings_;
    const Interrupt& interrupt_;
    std::mutex mutex_;
    std::multimap<std::string, std::unique_ptr<Stream>> idle_;
    std::map<std::string, std::unique_ptr<TlsTrust>> trust_;
};

/// Does NO_PROXY's list say that `url` is reached without a proxy? Pure.
[[nodiscard]] bool bypasses_proxy(std::string_view no_proxy, const Url& url);

}  // namespace compose::image
