// Asking a token server for a bearer token.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "image/credentials.hpp"
#include "image/http_client.hpp"

namespace compose::image {

/// `realm` was checked. Redirects are not followed: the request may carry a password.
[[nodiscard]] std::string request_token(HttpClient& http, const Url& realm, const std::string& service,
                                        const std::vector<std::string>& scopes, const std::optional<Credentials>& who);

}  // namespace compose::image
