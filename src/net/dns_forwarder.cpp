#include "net/dns_forwarder.hpp"

#include <array>

#include "base/log.hpp"
#include "sys/error.hpp"

namespace compose::net {

struct DnsForwarder::Exchange {
    dns::Query query;
    std::vector<sys::InetAddress> servers;
    std::size_t next = 0;  // index of the server to ask next
    bool whole = false;
    Done done;
    std::uint16_t id = 0;
    std::string refusal;  // what a server said that could not help
    std::string received;
    // The watches die before the descriptors they watch.
    sys::Fd socket;
    sys::Fd write_end;
    sys::EventLoop::Watch readable;
    sys::EventLoop::Watch writable;
    sys::EventLoop::Watch timer;

    void hang_up() {
        readable.cancel();
        writable.cancel();
        timer.cancel();
        write_end.reset();
        socket.reset();
        received.clear();
    }
};

DnsForwarder::DnsForwarder(sys::EventLoop& loop) : loop_(loop) {}
DnsForwarder::~DnsForwarder() = default;

DnsForwarder::Exchange* DnsForwarder::find(std::uint64_t key) {
    const auto found = exchanges_.find(key);
    return found == exchanges_.end() ? nullptr : found->second.get();
}

bool DnsForwarder::ask(const dns::Query& query, std::vector<sys::InetAddress> servers, bool whole, Done done) {
    if (exchanges_.size() >= kMaxInFlight) return false;
    auto exchange = std::make_unique<Exchange>();
    exchange->query = query;
    exchange->servers = std::move(servers);
    exchange->whole = whole;
    exchange->done = std::move(done);
    const std::uint64_t key = ++next_key_;
    exchanges_.emplace(key, std::move(exchange));
    ask_next(key);
    return true;
}

void DnsForwarder::ask_next(std::uint64_t key) {
    Exchange* exchange = find(key);
    if (exchange == nullptr) return;
    exchange->hang_up();
    while (exchange->next < exchange->servers.size()) {
        ++exchange->next;
        if (start_datagram(key, *exchange)) return;
    }
    finish(key);
}

void DnsForwarder::finish(std::uint64_t key) {
    const auto found = exchanges_.find(key);
    if (found == exchanges_.end()) return;
    const std::unique_ptr<Exchange> exchange = std::move(found->second);
    exchanges_.erase(found);
    exchange->hang_up();
    exchange->done(exchange->refusal);
}

bool DnsForwarder::start_datagram(std::uint64_t key, Exchange& exchange) {
    auto socket = sys::connect_udp(exchange.servers[exchange.next - 1]);
    if (!socket) return false;
    exchange.socket = std::move(*socket);
    exchange.id = static_cast<std::uint16_t>(random_());
    if (!sys::send_datagram(exchange.socket, dns::render_forwarded(exchange.query, exchange.id))) return false;
    exchange.readable = loop_.on_readable(exchange.socket, [this, key] { read_datagram(key); });
    exchange.timer = loop_.after(kPatience, [this, key] { ask_next(key); });
    return true;
}

void DnsForwarder::read_datagram(std::uint64_t key) {
    Exchange* exchange = find(key);
    if (exchange == nullptr) return;
    std::string buffer(dns::kMaxTcpSize, '\0');
    const sys::Transfer got = sys::read_some(exchange->socket, buffer.data(), buffer.size());
    if (got.state == sys::Transfer::State::closed) return ask_next(key);  // nobody listens there
    if (got.state == sys::Transfer::State::again) return;
    buffer.resize(got.size);
    // Not the answer: a forgery or a late one. The right one may still come.
    if (!dns::is_reply_to(buffer, exchange->query, exchange->id)) return;
    take_reply(key, std::move(buffer));
}

void DnsForwarder::take_reply(std::uint64_t key, std::string reply) {
    Exchange* exchange = find(key);
    if (exchange == nullptr) return;
    const bool over_stream = static_cast<bool>(exchange->write_end);
    if (dns::is_truncated(reply) && exchange->whole && !over_stream) {
        exchange->refusal = std::move(reply);  // better than nothing
        exchange->hang_up();
        if (!start_stream(key, *exchange)) ask_next(key);
        return;
    }
    const dns::Code code = dns::code_of(reply);
    const bool helpless =
        code == dns::Code::server_failure || code == dns::Code::refused || code == dns::Code::not_implemented;
    exchange->refusal = std::move(reply);
    if (helpless) return ask_next(key);
    finish(key);
}

bool DnsForwarder::start_stream(std::uint64_t key, Exchange& exchange) {
    auto socket = sys::connect_tcp(exchange.servers[exchange.next - 1]);
    if (!socket) return false;
    exchange.socket = std::move(*socket);
    exchange.write_end = exchange.socket.duplicate();
    exchange.writable = loop_.on_writable(exchange.write_end, [this, key] { write_stream(key); });
    exchange.readable = loop_.on_readable(exchange.socket, [this, key] { read_stream(key); });
    exchange.timer = loop_.after(kPatience, [this, key] { ask_next(key); });
    return true;
}

void DnsForwarder::write_stream(std::uint64_t key) {
    Exchange* exchange = find(key);
    if (exchange == nullptr) return;
    exchange->writable.cancel();
    const std::string question = dns::render_forwarded(exchange->query, exchange->id);
    std::string message{static_cast<char>(question.size() >> 8U), static_cast<char>(question.size() & 255U)};
    message += question;
    // A fresh connection has room for these few bytes, or it is none.
    const sys::Transfer sent = sys::send_some(exchange->socket, message);
    if (sent.state != sys::Transfer::State::done || sent.size != message.size()) ask_next(key);
}

void DnsForwarder::read_stream(std::uint64_t key) {
    Exchange* exchange = find(key);
    if (exchange == nullptr) return;
    std::array<char, 16 * 1024> buffer;
    const sys::Transfer got = sys::read_some(exchange->socket, buffer.data(), buffer.size());
    if (got.state == sys::Transfer::State::closed) return ask_next(key);
    exchange->received.append(buffer.data(), got.size);
    const std::string& received = exchange->received;
    if (received.size() < 2) return;
    const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>(received[0])) << 8U |
                             static_cast<unsigned char>(received[1]);
    if (received.size() < 2 + size) return;
    std::string reply = received.substr(2, size);
    if (!dns::is_reply_to(reply, exchange->query, exchange->id)) return ask_next(key);
    take_reply(key, std::move(reply));
}

}  // namespace compose::net
