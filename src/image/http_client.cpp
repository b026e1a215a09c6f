#include "image/http_client.hpp"

#include "base/error.hpp"
#include "base/strings.hpp"
#include "image/base64.hpp"
#include "image/connection_error.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"

namespace compose::image {

namespace {

constexpr std::size_t kMaxIdle = 8;

std::string upper(std::string text) {
    for (char& c : text)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return text;
}

}  // namespace

bool bypasses_proxy(std::string_view no_proxy, const Url& url) {
    if (is_loopback(url.host)) return true;
    for (const auto& raw : split(no_proxy, ',')) {
        auto entry = lower(trim(raw));
        if (entry == "*") return true;
        if (const auto colon = entry.rfind(':'); colon != std::string::npos && entry.find(':') == colon) {
            if (entry.substr(colon + 1) != std::to_string(url.port)) continue;
            entry.resize(colon);
        }
        if (entry.empty()) continue;
        if (entry.starts_with("*.")) entry.erase(0, 1);
        if (entry == url.host) return true;
        const auto suffix = entry.starts_with('.') ? entry : "." + entry;
        if (url.host.ends_with(suffix)) return true;
    }
    return false;
}

HttpClient::HttpClient(HttpSettings settings, const Interrupt& interrupt)
    : settings_(std::move(settings)), interrupt_(interrupt) {}
HttpClient::~HttpClient() = default;

std::string HttpClient::variable(const std::string& name) const {
    for (const auto& key : {name, upper(name)})
        if (const auto found = settings_.environment.find(key);
            found != settings_.environment.end() && !found->second.empty())
            return found->second;
    return {};
}

bool HttpClient::is_insecure(const Url& url) const {
    const auto with_port = fmt::format("{}:{}", url.host, url.port);
    return std::any_of(settings_.insecure.begin(), settings_.insecure.end(), [&](const std::string& entry) {
        return entry == url.host || entry == with_port || entry == url.authority();
    });
}

bool HttpClient::may_be_plain(const Url& url) const {
    return is_loopback(url.host) || is_insecure(url);
}

std::optional<HttpClient::Proxy> HttpClient::proxy_for(const Url& url) const {
    auto text = variable(url.tls ? "https_proxy" : "http_proxy");
    if (text.empty() || bypasses_proxy(variable("no_proxy"), url)) return std::nullopt;
    if (text.find("://") == std::string::npos) text = "http://" + text;
    Proxy proxy;
    const auto start = text.find("://") + 3;
    const auto at = text.substr(0, text.find('/', start)).rfind('@');
    if (at != std::string::npos && at > start) {
        proxy.authorization = "Basic " + base64_encode(percent_decode(text.substr(start, at - start)));
        text.erase(start, at + 1 - start);
    }
    proxy.url = in_context([] { return "proxy"; }, [&] { return parse_url(text); });
    return proxy;
}

const TlsTrust& HttpClient::trust_for(const Url& url) {
    const std::lock_guard guard(mutex_);
    auto& known = trust_[url.authority()];
    if (known) return *known;
    TlsTrust::Files files;
    files.roots_file = variable("ssl_cert_file");
    files.verify = !is_insecure(url);
    for (const auto& folder : settings_.certificate_folders)
        for (const auto& name : {url.authority(), fmt::format("{}:{}", url.host, url.port)}) {
            const auto path = folder + "/" + name;
            if (!sys::is_directory(path)) continue;
            for (const auto& file : sys::list_directory(path)) {
                const auto full = path + "/" + file;
                if (file.ends_with(".crt")) files.extra_roots.push_back(full);
                if (!file.ends_with(".cert")) continue;
                files.certificate = full;
                files.key = full.substr(0, full.size() - 5) + ".key";
            }
            if (url.port == (url.tls ? 443 : 80)) continue;
            break;
        }
    known = std::make_unique<TlsTrust>(files);
    return *known;
}

std::unique_ptr<Stream> HttpClient::connect(const Url& url, const std::optional<Proxy>& proxy) {
    const Url& first = proxy ? proxy->url : url;
    auto stream = connect_tcp(first.host, first.port, settings_.connect_timeout, settings_.stall, interrupt_,
                              !proxy && settings_.only_elsewhere);
    if (proxy && proxy->url.tls)
        stream = start_tls(std::move(stream), trust_for(proxy->url), proxy->url.host, proxy->url.authority());
    if (proxy && url.tls) {
        HttpRequest request;
        request.method = "CONNECT";
        const auto host = url.host.find(':') != std::string::npos ? "[" + url.host + "]" : url.host;
        request.target = request.host = fmt::format("{}:{}", host, url.port);
        if (!proxy->authorization.empty()) request.fields.emplace_back("Proxy-Authorization", proxy->authorization);
        HttpTunnel tunnel(std::move(stream));
        stream = tunnel.open(request);
    }
    return url.tls ? start_tls(std::move(stream), trust_for(url), url.host, url.authority()) : std::move(stream);
}

std::unique_ptr<Stream> HttpClient::idle(const std::string& origin) {
    for (;;) {
        std::unique_ptr<Stream> stream;
        {
            const std::lock_guard guard(mutex_);
            const auto found = idle_.find(origin);
            if (found == idle_.end()) return nullptr;
            stream = std::move(found->second);
            idle_.erase(found);
        }
        if (!stream->stirred()) return stream;
    }
}

HttpClient::Reply HttpClient::send(const Url& url, HttpRequest request) {
    const auto proxy = proxy_for(url);
    request.host = url.authority();
    request.target = proxy && !url.tls ? url.text() : url.target;
    request.fields.emplace_back("User-Agent", settings_.user_agent);
    request.fields.emplace_back("Accept-Encoding", "identity");
    if (proxy && !url.tls && !proxy->authorization.empty())
        request.fields.emplace_back("Proxy-Authorization", proxy->authorization);
    for (bool reused = true; reused;) {
        auto stream = idle(url.origin());
        reused = stream != nullptr;
        if (!stream) stream = connect(url, proxy);
        Reply reply;
        reply.url = url;
        reply.body = std::make_unique<HttpExchange>(std::move(stream));
        try {
            reply.head = reply.body->send(request);
            return reply;
        } catch (const ConnectionError&) {
            // A connection that lay idle may have been closed as we wrote: that says nothing about the server.
            if (!reused) throw;
        }
    }
    throw Error("unreachable");
}

void HttpClient::done(Reply& reply) {
    if (!reply.body) return;
    auto stream = reply.body->release();
    reply.body.reset();
    const std::lock_guard guard(mutex_);
    if (stream && idle_.size() < kMaxIdle) idle_.emplace(reply.url.origin(), std::move(stream));
}

}  // namespace compose::image
