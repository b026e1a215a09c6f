#include "image/http.hpp"

#include <cctype>
#include <charconv>

#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "image/connection_error.hpp"

namespace compose::image {

namespace {

namespace http = boost::beast::http;
using Parser = http::response_parser<http::buffer_body>;

constexpr std::size_t kInput = std::size_t{256} << 10U;
constexpr std::uint32_t kMaxHeader = std::uint32_t{64} << 10U;
constexpr int kMaxInterim = 10;

bool same_name(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](unsigned char x, unsigned char y) {
               return std::tolower(x) == std::tolower(y);
           });
}

void check_field(std::string_view text) {
    for (const char c : text)
        if (c == '\r' || c == '\n' || c == '\0')
            throw make_error(ErrorKind::invalid, "{} can't stand in a request", quote(text.substr(0, 80)));
}

std::string render_head(const HttpRequest& request) {
    check_field(request.target);
    std::string out = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, request.target, request.host);
    for (const auto& [name, value] : request.fields) {
        check_field(value);
        out += fmt::format("{}: {}\r\n", name, value);
    }
    const bool has_body = request.body_source || !request.body.empty() || request.method == "PUT" ||
                          request.method == "POST" || request.method == "PATCH";
    if (has_body)
        out += fmt::format("Content-Length: {}\r\n", request.body_source ? request.body_size : request.body.size());
    return out + "\r\n";
}

}  // namespace

std::string HttpHead::field(std::string_view name) const {
    for (const auto& [key, value] : fields)
        if (same_name(key, name)) return value;
    return {};
}

std::vector<std::string> HttpHead::all(std::string_view name) const {
    std::vector<std::string> out;
    for (const auto& [key, value] : fields)
        if (same_name(key, name)) out.push_back(value);
    return out;
}

std::optional<std::uint64_t> HttpHead::content_length() const {
    const auto text = field("Content-Length");
    std::uint64_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return out;
}

struct HttpExchange::Impl {
    std::unique_ptr<Stream> stream;
    std::vector<char> input;
    std::size_t begin = 0, end = 0;  // of what was read and not parsed
    std::unique_ptr<Parser> parser;
    std::size_t head_bytes = 0;  // the parser's own limit is one for a piece, so it depends on how the pieces come
    bool ended = false;          // the peer has closed

    void new_parser(bool head_only) {
        parser = std::make_unique<Parser>();
        parser->header_limit(kMaxHeader);
        parser->body_limit(boost::none);
        parser->eager(false);
        parser->skip(head_only);
        head_bytes = 0;
    }

    [[noreturn]] static void fail(const boost::system::error_code& code) {
        if (code == http::error::partial_message || code == http::error::end_of_stream)
            throw ConnectionError("the server has closed the connection in the middle of its answer");
        throw make_error(ErrorKind::invalid, "the server does not speak HTTP as it should: {}", lower(code.message()));
    }

    /// Feeds the parser once; reads from the stream when it has nothing to work on.
    void step() {
        boost::system::error_code code;
        if (begin == end && !ended) {
            begin = 0;
            end = stream->read(input);
            ended = end == 0;
        }
        if (begin == end) {
            if (!parser->got_some()) fail(http::error::end_of_stream);
            parser->put_eof(code);
            if (code) fail(code);
            return;
        }
        const bool in_head = !parser->is_header_done();
        const auto used = parser->put(boost::asio::const_buffer(input.data() + begin, end - begin), code);
        begin += used;
        if (in_head && (head_bytes += used) > kMaxHeader) fail(http::error::header_limit);
        if (code == http::error::need_more) {
            // What is there is too little for one line or header: more must come behind it.
            if (begin > 0) {
                std::copy(input.begin() + static_cast<std::ptrdiff_t>(begin),
                          input.begin() + static_cast<std::ptrdiff_t>(end), input.begin());
                end -= begin;
                begin = 0;
            }
            if (end == input.size()) throw Error("the server's answer has a line without end", ErrorKind::invalid);
            const auto more = ended ? 0 : stream->read(std::span(input).subspan(end));
            if (more == 0) fail(http::error::partial_message);
            end += more;
            return;
        }
        if (code && code != http::error::need_buffer) fail(code);
    }
};

HttpExchange::HttpExchange(std::unique_ptr<Stream> stream) : impl_(std::make_unique<Impl>()) {
    impl_->stream = std::move(stream);
    impl_->input.resize(kInput);
}
HttpExchange::~HttpExchange() = default;

HttpHead HttpExchange::send(const HttpRequest& request) {
    auto& impl = *impl_;
    try {
        impl.stream->write(render_head(request) + request.body);
        if (request.body_source) request.body_source([&](std::string_view piece) { impl.stream->write(piece); });
    } catch (const ConnectionError&) {
        // It may have said why before it hung up.
        if (!request.body_source) throw;
    }
    for (int interim = 0;; ++interim) {
        if (interim > kMaxInterim) throw Error("the server sends interim answers without end", ErrorKind::invalid);
        impl.new_parser(request.method == "HEAD");
        while (!impl.parser->is_header_done()) impl.step();
        if (impl.parser->get().result_int() / 100 != 1 || impl.parser->get().result_int() == 101) break;
    }
    HttpHead head;
    head.status = impl.parser->get().result_int();
    for (const auto& field : impl.parser->get())
        head.fields.emplace_back(std::string(field.name_string()), std::string(field.value()));
    return head;
}

std::size_t HttpExchange::read(std::span<char> buffer) {
    auto& impl = *impl_;
    auto& body = impl.parser->get().body();
    body.data = buffer.data();
    body.size = buffer.size();
    body.more = true;
    while (!impl.parser->is_done() && body.size == buffer.size()) impl.step();
    return buffer.size() - body.size;
}

std::string HttpExchange::read_all(std::size_t limit) {
    std::string out;
    std::vector<char> buffer(std::size_t{64} << 10U);
    for (;;) {
        const auto size = read(buffer);
        if (size == 0) return out;
        if (out.size() + size > limit)
            throw make_error(ErrorKind::invalid, "the answer is longer than {} bytes", limit);
        out.append(buffer.data(), size);
    }
}

std::unique_ptr<Stream> HttpExchange::release() {
    auto& impl = *impl_;
    if (!impl.parser || !impl.parser->is_done() || !impl.parser->keep_alive() || impl.begin != impl.end || impl.ended)
        return nullptr;
    return std::move(impl.stream);
}

std::unique_ptr<Stream> HttpTunnel::open(const HttpRequest& request) {
    stream_->write(render_head(request));
    std::string head;
    // Byte by byte: what follows the head belongs to the peer behind the proxy.
    while (!head.ends_with("\r\n\r\n")) {
        char byte = 0;
        if (head.size() > kMaxHeader || stream_->read({&byte, 1}) == 0)
            throw ConnectionError("the proxy has closed the connection");
        head += byte;
    }
    if (head.size() < 12 || !head.starts_with("HTTP/1.") || head[9] != '2')
        throw make_error("the proxy refuses: {}", quote(head.substr(0, head.find('\r'))));
    return std::move(stream_);
}

}  // namespace compose::image
