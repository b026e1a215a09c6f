#include "image/stream.hpp"

#include "base/error.hpp"
#include "image/connection_error.hpp"
#include "image/resolver.hpp"
#include "sys/clock.hpp"
#include "sys/inet.hpp"
#include "sys/poll.hpp"

namespace compose::image {

namespace {

std::int64_t seconds_of(std::chrono::milliseconds time) {
    return std::chrono::ceil<std::chrono::seconds>(time).count();
}

class TcpStream final : public Stream {
public:
    TcpStream(sys::Fd fd, std::string peer, std::chrono::milliseconds stall, const Interrupt& interrupt)
        : fd_(std::move(fd)), peer_(std::move(peer)), stall_(stall), interrupt_(interrupt) {}

    std::size_t read(std::span<char> buffer) override {
        for (;;) {
            // Asking for what may be there already is cheaper than waiting for it first.
            interrupt_.check();
            try {
                if (const auto size = sys::read_some(fd_, buffer)) return *size;
            } catch (const Error& error) {
                throw ConnectionError(fmt::format("{}: {}", peer_, error.what()));
            }
            if (!interrupt_.wait_readable(fd_, stall_))
                throw ConnectionError(fmt::format("{} has sent nothing for {} s", peer_, seconds_of(stall_)));
        }
    }

    void write(std::string_view bytes) override {
        while (!bytes.empty()) {
            interrupt_.check();
            const auto sent = sys::send_some(fd_, bytes);
            if (sent.state == sys::Transfer::State::closed)
                throw ConnectionError(fmt::format("{} has closed the connection", peer_));
            if (sent.state == sys::Transfer::State::done) {
                bytes.remove_prefix(sent.size);
                continue;
            }
            if (!interrupt_.wait_writable(fd_, stall_))
                throw ConnectionError(fmt::format("{} has taken nothing for {} s", peer_, seconds_of(stall_)));
        }
    }

    bool stirred() override { return interrupt_.wait_readable(fd_, std::chrono::milliseconds(0)); }

private:
    sys::Fd fd_;
    std::string peer_;
    std::chrono::milliseconds stall_;
    const Interrupt& interrupt_;
};

}  // namespace

std::unique_ptr<Stream> connect_tcp(const std::string& host, std::uint16_t port,
                                    std::chrono::milliseconds connect_timeout, std::chrono::milliseconds stall,
                                    const Interrupt& interrupt, bool only_elsewhere) {
    const auto peer = fmt::format("{}:{}", host, port);
    std::string why = "nobody answers";
    for (const auto& address : resolve_host(host, port, interrupt, {}, only_elsewhere)) {
        auto fd = sys::connect_tcp(address);
        if (!fd) {
            why = "there is no way to it";
            continue;
        }
        if (!interrupt.wait_writable(*fd, connect_timeout)) {
            why = "nobody answers";
            continue;
        }
        if (const auto error = sys::connection_error(*fd); !error.empty()) {
            why = error;
            continue;
        }
        return std::make_unique<TcpStream>(std::move(*fd), peer, stall, interrupt);
    }
    throw ConnectionError(fmt::format("connect to {}: {}", peer, why));
}

}  // namespace compose::image
