#include "net/dns_connection.hpp"

#include <array>

#include "sys/inet.hpp"

namespace compose::net {

DnsConnection::DnsConnection(sys::EventLoop& loop, sys::Fd socket, Handlers handlers)
    : loop_(loop), handlers_(std::move(handlers)), socket_(std::move(socket)) {}

void DnsConnection::start() {
    readable_ = loop_.on_readable(socket_, [this] { read(); });
    rest();
}

// Counts from the last whole question or answer, so a peer that sends byte after byte gains nothing.
void DnsConnection::rest() {
    idle_ = loop_.after(kIdle, [this] {
        if (busy()) return rest();
        fail();
    });
}

void DnsConnection::close() {
    open_ = false;
    readable_.cancel();
    writable_.cancel();
    idle_.cancel();
    write_end_.reset();
    socket_.reset();
}

void DnsConnection::fail() {
    if (!open_) return;
    const auto self = shared_from_this();  // the owner lets go of us inside closed()
    close();
    handlers_.closed();
}

void DnsConnection::read() {
    const auto self = shared_from_this();
    std::array<char, 8 * 1024> buffer;
    const sys::Transfer got = sys::read_some(socket_, buffer.data(), buffer.size());
    if (got.state == sys::Transfer::State::closed) return fail();
    received_.append(buffer.data(), got.size);
    take_questions();
}

void DnsConnection::take_questions() {
    if (taking_) return;  // an answer given at once comes back here
    taking_ = true;
    while (open_ && received_.size() >= 2 && pending_ < kMaxPending) {
        const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>(received_[0])) << 8U |
                                 static_cast<unsigned char>(received_[1]);
        if (size == 0 || size > kMaxQuestion) {
            taking_ = false;
            return fail();
        }
        if (received_.size() < 2 + size) break;
        const std::string message = received_.substr(2, size);
        received_.erase(0, 2 + size);
        ++pending_;
        rest();
        handlers_.question(message);
    }
    taking_ = false;
    if (!open_) return;
    // Nothing more is read while as much waits as we are ready to hold: TCP tells the peer.
    const bool full = pending_ >= kMaxPending && received_.size() > kMaxQuestion;
    if (full) readable_.cancel();
    if (!full && !readable_) readable_ = loop_.on_readable(socket_, [this] { read(); });
}

void DnsConnection::send(std::string_view reply) {
    if (!open_) return;
    const auto self = shared_from_this();
    unsent_.push_back(static_cast<char>(reply.size() >> 8U & 255U));
    unsent_.push_back(static_cast<char>(reply.size() & 255U));
    unsent_ += reply;
    if (!writable_) write();
    if (open_ && unsent_.size() > kMaxUnsent) fail();
    drop();
}

void DnsConnection::drop() {
    if (!open_) return;
    const auto self = shared_from_this();
    if (pending_ > 0) --pending_;
    rest();
    take_questions();
}

void DnsConnection::write() {
    const auto self = shared_from_this();
    const sys::Transfer sent = sys::send_some(socket_, unsent_);
    if (sent.state == sys::Transfer::State::closed) return fail();
    unsent_.erase(0, sent.size);
    if (unsent_.empty()) {
        writable_.cancel();
        write_end_.reset();
    } else if (!writable_) {
        write_end_ = socket_.duplicate();
        writable_ = loop_.on_writable(write_end_, [this] { write(); });
    }
}

}  // namespace compose::net
