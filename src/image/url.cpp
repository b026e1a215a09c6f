#include "image/url.hpp"

#include <array>
#include <charconv>
#include <optional>

#include "base/error.hpp"
#include "base/strings.hpp"

namespace compose::image {

namespace {

constexpr std::size_t kMaxUrl = 8192;

[[noreturn]] void fail(std::string_view text, std::string_view why) {
    throw make_error(ErrorKind::invalid, "{} is no address that can be used: {}", quote(text.substr(0, 200)), why);
}

std::optional<std::array<unsigned, 4>> ipv4_of(std::string_view host) {
    std::array<unsigned, 4> out{};
    const auto parts = split(host, '.');
    if (parts.size() != 4) return std::nullopt;
    for (std::size_t i = 0; i < 4; ++i) {
        const auto& part = parts[i];
        const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), out[i]);
        if (part.empty() || part.size() > 3 || error != std::errc{} || end != part.data() + part.size() || out[i] > 255)
            return std::nullopt;
    }
    return out;
}

void check_host(std::string_view text, std::string_view host) {
    if (host.empty() || host.size() > 253) fail(text, "it has no host");
    for (const char c : host) {
        const bool good =
            (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || c == ':';
        if (!good) fail(text, "the host has a strange character");
    }
}

}  // namespace

std::string Url::authority() const {
    const std::string name = host.find(':') != std::string::npos ? "[" + host + "]" : host;
    return port == (tls ? 443 : 80) ? name : fmt::format("{}:{}", name, port);
}

std::string Url::origin() const {
    return (tls ? "https://" : "http://") + authority();
}

Url parse_url(std::string_view text) {
    if (text.size() > kMaxUrl) fail(text, "it is too long");
    for (const char c : text)
        if (static_cast<unsigned char>(c) <= 0x20 || c == '\x7f') fail(text, "it has a blank or a control character");
    Url url;
    if (text.find("://") == std::string_view::npos) fail(text, "it has no scheme");
    const auto scheme = lower(text.substr(0, text.find("://")));
    if (scheme == "https")
        url.tls = true;
    else if (scheme == "http")
        url.tls = false;
    else
        fail(text, "only http and https are spoken");
    auto rest = text.substr(scheme.size() + 3);
    const auto end = rest.find_first_of("/?#");
    auto authority = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
    if (authority.find('@') != std::string_view::npos) fail("...", "it carries a name or a password");
    std::string_view port;
    if (authority.starts_with('[')) {
        const auto close = authority.find(']');
        if (close == std::string_view::npos) fail(text, "\"]\" is missing");
        if (close + 1 < authority.size() && authority[close + 1] != ':') fail(text, "bad port");
        if (close + 1 < authority.size()) port = authority.substr(close + 2);
        url.host = lower(authority.substr(1, close - 1));
    } else {
        const auto colon = authority.find(':');
        if (colon != std::string_view::npos) port = authority.substr(colon + 1);
        url.host = lower(authority.substr(0, colon));
        if (url.host.find(':') != std::string::npos) fail(text, "bad port");
    }
    check_host(text, url.host);
    url.port = url.tls ? 443 : 80;
    if (!port.empty()) {
        const auto [last, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
        if (error != std::errc{} || last != port.data() + port.size() || url.port == 0) fail(text, "bad port");
    }
    rest = rest.substr(0, rest.find('#'));
    url.target = rest.starts_with('/') ? std::string(rest) : "/" + std::string(rest);
    return url;
}

Url resolve_url(const Url& base, std::string_view location) {
    if (location.find("://") != std::string_view::npos && location.find("://") < location.find_first_of("/?#"))
        return parse_url(location);
    if (location.starts_with("//")) return parse_url((base.tls ? "https:" : "http:") + std::string(location));
    if (location.starts_with('/')) return parse_url(base.origin() + std::string(location));
    const auto colon = location.find(':');
    if (colon != std::string_view::npos && colon < location.find_first_of("/?#"))
        fail(location, "only http and https are spoken");
    const auto path = base.target.substr(0, base.target.find('?'));
    return parse_url(base.origin() + path.substr(0, path.rfind('/') + 1) + std::string(location));
}

bool is_loopback(std::string_view host) {
    if (host == "localhost" || host.ends_with(".localhost") || host == "::1") return true;
    const auto address = ipv4_of(host);
    return address && (*address)[0] == 127;
}

bool is_forbidden_literal(std::string_view host) {
    if (host.find(':') != std::string_view::npos) {
        const auto text = lower(host);
        return text == "::1" || text == "::" || text.starts_with("fe8") || text.starts_with("fe9") ||
               text.starts_with("fea") || text.starts_with("feb") || text.starts_with("ff") ||
               text.starts_with("::ffff:");
    }
    // "0x7f.1" and "2130706433" would be addresses to a C library.
    const auto last = host.substr(host.rfind('.') + 1);
    const bool numeric = !last.empty() && last.find_first_not_of("0123456789") == std::string_view::npos;
    const auto address = ipv4_of(host);
    if (!address) return numeric || last.starts_with("0x");
    const auto& a = *address;
    return a[0] == 0 || a[0] == 127 || (a[0] == 169 && a[1] == 254) || a[0] >= 224;
}

std::string percent_encode(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '.' || c == '_' || c == '~';
        if (plain)
            out += c;
        else
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

std::string percent_decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned char byte = 0;
        const auto digits = text.substr(std::min(i + 1, text.size()), 2);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
        if (text[i] == '%' && digits.size() == 2 && error == std::errc{} && end == digits.data() + 2) {
            out += static_cast<char>(byte);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

}  // namespace compose::image
