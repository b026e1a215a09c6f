// One HTTP/1.1 exchange over a stream: a request goes out, the head of the answer comes in, then its body piece by
// piece. Redirects, authentication and retries are others' business. Boost.Beast reads the answers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "image/stream.hpp"

namespace compose::image {

using HttpFields = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string method = "GET";
    std::string target = "/";
    std::string host;
    HttpFields fields;
    std::string body;
    /// A long body instead: exactly `body_size` bytes, handed to the given function piece by piece.
    std::function<void(const std::function<void(std::string_view)>&)> body_source;
    std::uint64_t body_size = 0;
};

struct HttpHead {
    unsigned status = 0;
    HttpFields fields;
    /// The first of that name, whatever its case; empty when absent.
    [[nodiscard]] std::string field(std::string_view name) const;
    [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
    [[nodiscard]] std::optional<std::uint64_t> content_length() const;
};

/// Throws ConnectionError when the peer goes away, Error(invalid) when it does not speak HTTP.
class HttpExchange {
public:
    explicit HttpExchange(std::unique_ptr<Stream> stream);
    ~HttpExchange();
    HttpExchange(const HttpExchange&) = delete;
    HttpExchange& operator=(const HttpExchange&) = delete;

    [[nodiscard]] HttpHead send(const HttpRequest& request);
    /// 0 at the end of the body.
    [[nodiscard]] std::size_t read(std::span<char> buffer);
    /// The rest of the body; throws Error(invalid) when it is longer than `limit`.
    [[nodiscard]] std::string read_all(std::size_t limit);
    /// The stream, when the body was read to its end and another request may follow; else null.
    [[nodiscard]] std::unique_ptr<Stream> release();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// CONNECT through a proxy.
class HttpTunnel {
public:
    explicit HttpTunnel(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
    /// The way through, once the proxy has agreed.
    [[nodiscard]] std::unique_ptr<Stream> open(const HttpRequest& request);

private:
    std::unique_ptr<Stream> stream_;
};

}  // namespace compose::image
