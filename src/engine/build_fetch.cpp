#include "engine/build_fetch.hpp"

#include <ctime>
#include <memory>

#include "base/base64.hpp"
#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "build/paths.hpp"
#include "image/http_client.hpp"
#include "image/resolver.hpp"
#include "sys/env.hpp"
#include "sys/file.hpp"

namespace compose::engine {
namespace {

constexpr int kMaxRedirects = 10;

std::string name_of(const image::Url& url) {
    auto path = url.target.substr(0, url.target.find_first_of("?#"));
    auto name = std::string(build::base_name(build::clean_relative(path)));
    return name.empty() || name.size() > 255 ? "download" : name;
}

/// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<std::int64_t> http_time(const std::string& text) {
    std::tm parts{};
    const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (end == nullptr || *end != '\0') return std::nullopt;
    const auto seconds = ::timegm(&parts);
    if (seconds < 0) return std::nullopt;
    return seconds;
}

[[noreturn]] void refuse(const std::string& host) {
    throw make_error(ErrorKind::invalid, "{} is an address of this machine or its local link", quote(host))
        .with_hint("allow it with --allow network.host, or build.entitlements");
}

bool is_local(const std::string& host) {
    return image::is_loopback(host) || image::is_forbidden_literal(host);
}

/// One file by its address, through redirects.
class Fetch {
public:
    Fetch(const build::Remote& remote, NamedBy who, const std::stop_token& cancel)
        : login_(remote.login), interrupt_(cancel), first_(image::parse_url(remote.url)), who_(who) {}

    FetchedFile run(const std::string& folder) {
        const auto name = name_of(first_);
        auto url = first_;
        for (int hops = 0;; ++hops) {
            auto reply = ask(url);
            const auto status = reply.head.status;
            if (status >= 300 && status < 400 && !reply.head.field("Location").empty()) {
                if (hops == kMaxRedirects) throw Error("it redirects for ever");
                const auto next = image::resolve_url(url, reply.head.field("Location"));
                if (url.tls && !next.tls) throw Error("it redirects to a place without TLS");
                url = next;
                continue;
            }
            if (status != 200) throw make_error("the server answered {}", status);
            return save(reply, folder + "/" + name);
        }
    }

private:
    image::HttpClient::Reply ask(const image::Url& url) {
        const bool anywhere = who_ == NamedBy::trusted || (who_ == NamedBy::user && url.host == first_.host);
        if (!anywhere && is_local(url.host)) refuse(url.host);
        image::HttpSettings settings;
        settings.environment = sys::environment_snapshot();
        settings.only_elsewhere = !anywhere;
        client_ = std::make_unique<image::HttpClient>(settings, interrupt_);
        image::HttpRequest request;
        request.fields.emplace_back("Accept-Encoding", "identity");
        // The password is for the one who was named, and nobody whom that one names.
        if (!login_.empty() && url.same_origin(first_))
            request.fields.emplace_back("Authorization", "Basic " + base64_encode(login_));
        return client_->send(url, std::move(request));
    }

    static FetchedFile save(image::HttpClient::Reply& reply, const std::string& path) {
        FetchedFile out;
        out.path = path;
        const auto file = sys::create_file(out.path, 0600);
        Sha256 hash;
        std::string buffer(std::size_t{256} << 10U, '\0');
        std::uint64_t total = 0;
        while (const auto got = reply.body->read(buffer)) {
            hash.update(buffer.data(), got);
            sys::write_all(file, {buffer.data(), got});
            total += got;
        }
        if (const auto length = reply.head.content_length(); length && *length != total)
            throw make_error("only {} of {} bytes came", total, *length);
        out.digest = hash.hex();
        out.modified = http_time(reply.head.field("Last-Modified"));
        return out;
    }

    const std::string login_;
    const image::Interrupt interrupt_;
    const image::Url first_;
    const NamedBy who_;
    std::unique_ptr<image::HttpClient> client_;  // of the reply that is being read
};

}  // namespace

FetchedFile fetch_file(const build::Remote& remote, const std::string& folder, NamedBy who,
                       const std::stop_token& cancel) {
    return in_context([&] { return "fetch " + quote(build::redacted(remote.url)); },
                      [&] { return Fetch(remote, who, cancel).run(folder); });
}

void check_host(const std::string& host, const image::Interrupt& interrupt) {
    if (is_local(host)) refuse(host);
    try {
        (void)image::resolve_host(host, 0, interrupt, {}, true);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::invalid) throw;
        // A name that only a proxy knows is the proxy's to look up.
    }
}

void check_repository(build::Remote& remote, NamedBy who, const std::stop_token& cancel) {
    if (who != NamedBy::dockerfile) return;
    const auto host = build::host_of(remote.url);
    if (is_local(host)) refuse(host);
    const bool web = remote.url.starts_with("http://") || remote.url.starts_with("https://");
    const auto environment = sys::environment_snapshot();
    const auto is_set = [&](const char* name) {
        const auto found = environment.find(name);
        return found != environment.end() && !found->second.empty();
    };
    // Through a proxy it is the proxy that looks the name up.
    if (web && (is_set("http_proxy") || is_set("https_proxy") || is_set("HTTPS_PROXY") || is_set("all_proxy"))) return;
    const image::Interrupt interrupt(cancel);
    const auto port = web ? image::parse_url(remote.url).port : std::uint16_t{0};
    try {
        const auto address = image::resolve_host(host, port, interrupt, {}, true).front().host();
        const bool v6 = address.find(':') != std::string::npos;
        if (web) remote.pinned = fmt::format("{}:{}:{}{}{}", host, port, v6 ? "[" : "", address, v6 ? "]" : "");
    } catch (const Error& error) {
        // A host that only ~/.ssh/config knows is one that the user named.
        if (web || remote.url.starts_with("git://") || error.kind() == ErrorKind::invalid) throw;
    }
}

}  // namespace compose::engine
