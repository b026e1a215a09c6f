// Questions to other DNS servers, from the network namespace of this thread. Each has its own socket (so a random
// port), a random id and a server that alone may answer it: a forged reply has to guess all of them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "net/dns_message.hpp"
#include "sys/event_loop.hpp"
#include "sys/inet.hpp"

namespace compose::net {

class DnsForwarder {
public:
    static constexpr std::size_t kMaxInFlight = 1024;
    static constexpr std::chrono::seconds kPatience{4};  // with one server

    explicit DnsForwarder(sys::EventLoop& loop);
    ~DnsForwarder();
    DnsForwarder(const DnsForwarder&) = delete;
    DnsForwarder& operator=(const DnsForwarder&) = delete;

    /// `reply` as the server sent it; empty when none of them answered.
    using Done = std::function<void(const std::string& reply)>;
    /// Asks the servers one after the other; with `whole` a cut reply is fetched again over TCP. `done` is called once,
    /// possibly before this returns. False: too many questions are under way, nothing was done.
    bool ask(const dns::Query& query, std::vector<sys::InetAddress> servers, bool whole, Done done);
    [[nodiscard]] std::size_t in_flight() const { return exchanges_.size(); }

private:
    struct Exchange;

    void ask_next(std::uint64_t key);
    bool start_datagram(std::uint64_t key, Exchange& exchange);
    bool start_stream(std::uint64_t key, Exchange& exchange);
    void read_datagram(std::uint64_t key);
    void write_stream(std::uint64_t key);
    void read_stream(std::uint64_t key);
    void take_reply(std::uint64_t key, std::string reply);
    void finish(std::uint64_t key);
    Exchange* find(std::uint64_t key);

    sys::EventLoop& loop_;
    std::random_device random_;
    std::uint64_t next_key_ = 0;
    std::map<std::uint64_t, std::unique_ptr<Exchange>> exchanges_;
};

}  // namespace compose::net
