// One client's TCP connection to the DNS server: messages with a length in front, in both directions. Knows nothing of
// what is in them. It never waits for its peer, and a peer that says nothing for three seconds is hung up on.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sys/event_loop.hpp"
#include "sys/fd.hpp"

namespace compose::net {

class DnsConnection : public std::enable_shared_from_this<DnsConnection> {
public:
    static constexpr std::chrono::seconds kIdle{3};
    static constexpr std::size_t kMaxQuestion = 4096;      // a longer message is no question
    static constexpr std::size_t kMaxPending = 16;         // questions that wait for their answers
    static constexpr std::size_t kMaxUnsent = 256 * 1024;  // a peer that reads nothing

    struct Handlers {
        std::function<void(std::string_view message)> question;  // to be answered by one send() or drop()
        std::function<void()> closed;                            // once; not after close()
    };
    DnsConnection(sys::EventLoop& loop, sys::Fd socket, Handlers handlers);
    void start();
    void send(std::string_view reply);
    void drop();  // a question that gets no answer
    void close();
    [[nodiscard]] bool busy() const { return pending_ > 0; }

private:
    void read();
    void take_questions();
    void write();
    void rest();
    void fail();

    sys::EventLoop& loop_;
    Handlers handlers_;
    std::string received_;
    std::string unsent_;
    std::size_t pending_ = 0;
    bool open_ = true;
    bool taking_ = false;
    // The watches die before the descriptors they watch.
    sys::Fd socket_;
    sys::Fd write_end_;
    sys::EventLoop::Watch readable_;
    sys::EventLoop::Watch writable_;
    sys::EventLoop::Watch idle_;
};

}  // namespace compose::net
