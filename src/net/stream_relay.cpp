#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "net/port_relay.hpp"

namespace compose::net {
namespace {

constexpr std::size_t kMaxConnections = 512;
constexpr int kAcceptsAtOnce = 16;
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr std::size_t kPiece = 32 * 1024;

// One connection: two sockets, each of which is read only while the other one takes what comes.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(sys::EventLoop& loop, sys::Fd outer, sys::Fd inner, std::function<void()> ended)
        : loop_(loop), ended_(std::move(ended)) {
        outer_.socket = std::move(outer);
        inner_.socket = std::move(inner);
    }

    void start() {
        when_writable(inner_, [this] { connected(); });
    }

private:
    struct End {
        sys::Fd socket;
        sys::Fd write_end;  // a copy: a descriptor has one watch
        sys::EventLoop::Watch readable, writable;
        std::string unsent;
        bool heard_all = false;
    };

    void when_writable(End& end, std::function<void()> callback) {
        end.write_end = end.socket.duplicate();
        end.writable = loop_.on_writable(end.write_end, std::move(callback));
    }
    static void write_is_done(End& end) {
        end.writable.cancel();
        end.write_end.reset();
    }
    void listen_to(End& from, End& to) {
        from.readable = loop_.on_readable(from.socket, [this, &from, &to] { pass_on(from, to); });
    }

    void connected() {
        const auto self = shared_from_this();
        write_is_done(inner_);
        if (!sys::connection_error(inner_.socket).empty()) return close();
        listen_to(outer_, inner_);
        listen_to(inner_, outer_);
    }

    void pass_on(End& from, End& to) {
        const auto self = shared_from_this();
        std::array<char, kPiece> buffer;
        const sys::Transfer got = sys::read_some(from.socket, buffer.data(), buffer.size());
        if (got.state == sys::Transfer::State::again) return;
        if (got.state == sys::Transfer::State::closed) {
            from.readable.cancel();
            from.heard_all = true;
            if (to.heard_all) return close();
            sys::end_sending(to.socket);
            return;
        }
        send({buffer.data(), got.size}, from, to);
    }

    void send(std::string_view data, End& from, End& to) {
        const sys::Transfer sent = sys::send_some(to.socket, data);
        if (sent.state == sys::Transfer::State::closed) return close();
        if (sent.size == data.size()) return;
        to.unsent = data.substr(sent.size);
        from.readable.cancel();
        when_writable(to, [this, &from, &to] { send_rest(from, to); });
    }

    void send_rest(End& from, End& to) {
        const auto self = shared_from_this();
        const sys::Transfer sent = sys::send_some(to.socket, to.unsent);
        if (sent.state == sys::Transfer::State::closed) return close();
        to.unsent.erase(0, sent.size);
        if (!to.unsent.empty()) return;
        to.unsent.shrink_to_fit();
        write_is_done(to);
        listen_to(from, to);
    }

    void close() {
        for (End* const end : {&outer_, &inner_}) {
            end->readable.cancel();
            write_is_done(*end);
            end->socket.reset();
        }
        if (ended_) std::exchange(ended_, nullptr)();
    }

    sys::EventLoop& loop_;
    std::function<void()> ended_;
    End outer_, inner_;
};

class StreamRelay : public PortRelay {
public:
    StreamRelay(sys::EventLoop& loop, sys::FdRef socket, const sys::InetAddress& target)
        : loop_(loop), socket_(socket), target_(target) {
        sys::start_listening(socket_);
        watch();
    }
    ~StreamRelay() override {
        watch_.cancel();
        sys::stop_listening(socket_);
    }
    void turn_to(const sys::InetAddress& target) override { target_ = target; }

private:
    void watch() {
        pause_.cancel();
        if (!watch_) watch_ = loop_.on_readable(socket_, [this] { accept(); });
    }

    void accept() {
        for (int i = 0; i < kAcceptsAtOnce; ++i) {
            // The others wait in the kernel.
            if (connections_.size() >= kMaxConnections) return watch_.cancel();
            sys::Fd outer;
            const sys::Accepted accepted = sys::accept_tcp(socket_, outer);
            if (accepted == sys::Accepted::nothing) return;
            std::optional<sys::Fd> inner;
            if (accepted == sys::Accepted::connection) inner = sys::connect_tcp(target_);
            if (accepted == sys::Accepted::exhausted) {
                // Asked again at once, the loop would spin.
                watch_.cancel();
                pause_ = loop_.after(kAcceptPause, [this] { watch(); });
                return;
            }
            if (inner) carry(std::move(outer), std::move(*inner));
        }
    }

    void carry(sys::Fd outer, sys::Fd inner) {
        const std::uint64_t key = ++last_;
        auto connection = std::make_shared<Connection>(loop_, std::move(outer), std::move(inner), [this, key] {
            connections_.erase(key);
            if (!pause_) watch();
        });
        connections_.emplace(key, connection);
        connection->start();
    }

    sys::EventLoop& loop_;
    sys::FdRef socket_;
    sys::InetAddress target_;
    sys::EventLoop::Watch watch_, pause_;
    std::map<std::uint64_t, std::shared_ptr<Connection>> connections_;
    std::uint64_t last_ = 0;
};

}  // namespace

std::unique_ptr<PortRelay> open_stream_relay(sys::EventLoop& loop, sys::FdRef socket, const sys::InetAddress& target) {
    return std::make_unique<StreamRelay>(loop, socket, target);
}

std::unique_ptr<PortRelay> open_port_relay(sys::EventLoop& loop, sys::FdRef socket, const std::string& protocol,
                                           const sys::InetAddress& target) {
    return protocol == "tcp" ? open_stream_relay(loop, socket, target) : open_datagram_relay(loop, socket, target);
}

}  // namespace compose::net
