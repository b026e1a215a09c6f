#include "image/token.hpp"

#include <algorithm>

#include "base/base64.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "image/connection_error.hpp"

namespace compose::image {

namespace {

constexpr std::size_t kMaxReply = std::size_t{1} << 20U;
constexpr std::size_t kMaxToken = std::size_t{48} << 10U;  // with more, no server takes the header
constexpr int kAttempts = 3;

std::string token_in(const std::string& body, const std::string& server) {
    const auto value = in_context([&] { return "token server " + server; }, [&] { return parse_json(body); });
    std::string token;
    if (const auto* object = value.if_object()) token = string_or(*object, "token", string_or(*object, "access_token"));
    const bool good = !token.empty() && token.size() <= kMaxToken &&
                      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
    if (!good) throw make_error(ErrorKind::invalid, "token server {} gives no token that can be used", server);
    return token;
}

HttpRequest make_request(const Url& realm, Url& url, const std::string& service, const std::vector<std::string>& scopes,
                         const std::optional<Credentials>& who) {
    HttpRequest request;
    url = realm;
    if (who && who->identity_token) {
        request.method = "POST";
        request.fields.emplace_back("Content-Type", "application/x-www-form-urlencoded");
        request.body = "grant_type=refresh_token&client_id=compose&refresh_token=" + percent_encode(who->secret) +
                       "&service=" + percent_encode(service) + "&scope=" + percent_encode(join(scopes, " "));
        return request;
    }
    std::string query;
    const auto add = [&](const char* key, const std::string& text) {
        if (!text.empty()) query += (query.empty() ? "" : "&") + std::string(key) + "=" + percent_encode(text);
    };
    add("service", service);
    for (const auto& scope : scopes) add("scope", scope);
    if (who) {
        add("account", who->user);
        request.fields.emplace_back("Authorization", "Basic " + base64_encode(who->user + ":" + who->secret));
    }
    url.target += (url.target.find('?') == std::string::npos ? "?" : "&") + query;
    return request;
}

}  // namespace

std::string request_token(HttpClient& http, const Url& realm, const std::string& service,
                          const std::vector<std::string>& scopes, const std::optional<Credentials>& who) {
    Url url;
    const auto request = make_request(realm, url, service, scopes, who);
    for (int attempt = 0;; ++attempt) {
        try {
            auto reply = http.send(url, request);
            const auto status = reply.head.status;
            if (status == 200) {
                const auto body = reply.body->read_all(kMaxReply);
                http.done(reply);
                return token_in(body, realm.authority());
            }
            if (status == 401 || status == 403)
                throw make_error("token server {} does not accept the name and password", realm.authority())
                    .with_hint("log in again: compose login");
            if (status < 500 || attempt + 1 >= kAttempts)
                throw make_error("token server {} answers with status {}", realm.authority(), status);
        } catch (const ConnectionError&) {
            if (attempt + 1 >= kAttempts) throw;
        } catch (const NotTls&) {
            throw make_error(ErrorKind::invalid, "token server {} does not speak TLS", realm.authority());
        }
        http.interrupt().sleep(std::chrono::milliseconds(300) * (attempt + 1));
    }
}

}  // namespace compose::image
