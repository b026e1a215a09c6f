#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <utility>

#include "net/port_relay.hpp"
#include "sys/clock.hpp"
#include "sys/datagram.hpp"

namespace compose::net {
namespace {

constexpr std::size_t kMaxFlows = 256;
constexpr std::size_t kLargest = 65536;
constexpr int kAtOnce = 32;
constexpr std::chrono::seconds kIdle{90};
constexpr std::chrono::seconds kSweep{30};

// A flow is one peer talking to one of our addresses; its own socket tells its answers from those to others.
class DatagramRelay : public PortRelay {
public:
    DatagramRelay(sys::EventLoop& loop, sys::FdRef socket, const sys::InetAddress& target)
        : loop_(loop), socket_(socket), target_(target) {
        sys::prepare_datagrams(socket_);
        watch_ = loop_.on_readable(socket_, [this] { receive(); });
    }
    void turn_to(const sys::InetAddress& target) override {
        if (target == target_) return;
        target_ = target;
        ++turn_;
    }

private:
    struct Key {
        sys::InetAddress peer, local;
        std::uint64_t turn = 0;  // answers may still come from where the flow went before
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    struct Flow {
        sys::Fd socket;
        sys::EventLoop::Watch watch;
        sys::MonotonicTime used{};
    };

    void receive() {
        std::array<char, kLargest> buffer;
        for (int i = 0; i < kAtOnce; ++i) {
            const auto datagram = sys::receive_datagram(socket_, buffer);
            if (!datagram) return;
            if (Flow* const flow = flow_of({datagram->peer, datagram->local, turn_}))
                (void)sys::send_datagram(flow->socket, datagram->data);
        }
    }

    // Null when there is no way to the container.
    Flow* flow_of(const Key& key) {
        auto found = flows_.find(key);
        if (found == flows_.end()) {
            if (flows_.size() >= kMaxFlows) flows_.erase(oldest());
            auto socket = sys::connect_udp(target_);
            if (!socket) return nullptr;
            found = flows_.emplace(key, Flow{.socket = std::move(*socket), .watch = {}}).first;
            found->second.watch = loop_.on_readable(found->second.socket, [this, key] { answer(key); });
            if (!sweep_) sweep();
        }
        found->second.used = sys::monotonic_now();
        return &found->second;
    }

    void answer(const Key& key) {
        const auto found = flows_.find(key);
        if (found == flows_.end()) return;
        std::array<char, kLargest> buffer;
        for (int i = 0; i < kAtOnce; ++i) {
            const auto got = sys::read_some(found->second.socket, buffer.data(), buffer.size());
            if (got.state != sys::Transfer::State::done) return;
            found->second.used = sys::monotonic_now();
            sys::send_datagram_between(socket_, key.local, key.peer, {buffer.data(), got.size});
        }
    }

    std::map<Key, Flow>::iterator oldest() {
        return std::min_element(flows_.begin(), flows_.end(),
                                [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    }

    void sweep() {
        sweep_ = loop_.after(kSweep, [this] {
            const auto now = sys::monotonic_now();
            std::erase_if(flows_, [&](const auto& entry) { return now - entry.second.used > kIdle; });
            sweep_.cancel();
            if (!flows_.empty()) sweep();
        });
    }

    sys::EventLoop& loop_;
    sys::FdRef socket_;
    sys::InetAddress target_;
    std::uint64_t turn_ = 0;
    sys::EventLoop::Watch watch_, sweep_;
    std::map<Key, Flow> flows_;
};

}  // namespace

std::unique_ptr<PortRelay> open_datagram_relay(sys::EventLoop& loop, sys::FdRef socket,
                                               const sys::InetAddress& target) {
    return std::make_unique<DatagramRelay>(loop, socket, target);
}

}  // namespace compose::net
