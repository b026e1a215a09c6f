// Addresses of HTTP servers: parsing, joining and comparing. Pure. What a server names (a redirect, a realm, an
// upload's place) comes through here before anything is sent to it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace compose::image {

struct Url {
    bool tls = true;
    std::string host;  // lower case, without brackets
    std::uint16_t port = 443;
    std::string target = "/";  // path and query

    /// "https://host[:port]", default ports left out.
    [[nodiscard]] std::string origin() const;
    /// "host[:port]" as a Host header has it.
    [[nodiscard]] std::string authority() const;
    [[nodiscard]] std::string text() const { return origin() + target; }
    [[nodiscard]] bool same_origin(const Url& other) const {
        return tls == other.tls && port == other.port && host == other.host;
    }
};

/// http and https only. Throws Error(invalid) for user information, control characters, blanks and other schemes.
[[nodiscard]] Url parse_url(std::string_view text);
/// What `location`, absolute or relative, means in an answer from `base`.
[[nodiscard]] Url resolve_url(const Url& base, std::string_view location);
/// The host is this machine: "localhost", "x.localhost", 127.0.0.0/8, ::1.
[[nodiscard]] bool is_loopback(std::string_view host);
/// A numeric address that no stranger has a reason to send anyone to: loopback, link-local, unspecified, multicast.
[[nodiscard]] bool is_forbidden_literal(std::string_view host);
/// "%20" for what can't stand in a query.
[[nodiscard]] std::string percent_encode(std::string_view text);
/// What is no escape stays as it is.
[[nodiscard]] std::string percent_decode(std::string_view text);

}  // namespace compose::image
