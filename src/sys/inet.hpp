// Internet sockets, non-blocking and close-on-exec: datagrams in batches, streams, numeric addresses. No name
// resolution.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sys/fd.hpp"

namespace compose::sys {

/// A socket address of IPv4 or IPv6.
class InetAddress {
public:
    /// Numeric only: "1.1.1.1", "2001:db8::1", "fe80::1%eth0". Nothing when it is no address.
    [[nodiscard]] static std::optional<InetAddress> parse(const std::string& address, std::uint16_t port);
    [[nodiscard]] static InetAddress ipv4(std::uint32_t host_order, std::uint16_t port);

    /// From a sockaddr of either family; empty when it is neither's.
    [[nodiscard]] static InetAddress from_raw(const void* address, unsigned size);

    [[nodiscard]] const void* data() const { return raw_.data(); }
    [[nodiscard]] unsigned size() const { return size_; }
    [[nodiscard]] int family() const;
    /// Numeric, without the port.
    [[nodiscard]] std::string host() const;
    [[nodiscard]] std::uint16_t port() const;
    friend auto operator<=>(const InetAddress&, const InetAddress&) = default;

private:
    std::array<std::uint32_t, 7> raw_{};  // as large as a sockaddr_in6
    unsigned size_ = 0;
};

[[nodiscard]] Fd bind_udp(const InetAddress& address);
[[nodiscard]] Fd listen_tcp(const InetAddress& address);
[[nodiscard]] InetAddress local_address(FdRef socket);
[[nodiscard]] std::uint16_t local_port(FdRef socket);
/// From a random port of the kernel's; takes datagrams of that peer only. Nothing when there is no way to it.
[[nodiscard]] std::optional<Fd> connect_udp(const InetAddress& peer);
/// Under way when it returns: writable once it is made or has failed.
[[nodiscard]] std::optional<Fd> connect_tcp(const InetAddress& peer);
/// Of a connection that was under way: empty when it is made (it sends at once from now on), else why it is not.
[[nodiscard]] std::string connection_error(FdRef socket);

/// Of a connection under way: 0 when it is made, else the errno of its failure.
[[nodiscard]] int pending_error(FdRef socket);

enum class Accepted { connection, nothing, exhausted };  // exhausted: no descriptors left
Accepted accept_tcp(FdRef listener, Fd& out);
/// Connections to a bound socket wait from now on to be accepted. Those that have ended don't keep others from binding.
void start_listening(FdRef socket);
/// Refuses them again; the socket stays bound.
void stop_listening(FdRef socket);

/// What reading or writing a non-blocking stream gave.
struct Transfer {
    enum class State { done, again, closed } state = State::again;
    std::size_t size = 0;
};
[[nodiscard]] Transfer read_some(FdRef socket, char* buffer, std::size_t size);
[[nodiscard]] Transfer send_some(FdRef socket, std::string_view data);
/// Ends what is sent to the peer, who may still be heard.
void end_sending(FdRef socket);
bool send_datagram(FdRef socket, std::string_view data);  // on a connected socket

/// Room for some datagrams and their answers: one system call receives many, one sends many.
class DatagramBatch {
public:
    static constexpr std::size_t kDatagrams = 32;
    static constexpr std::size_t kDatagramSize = 4096;  // longer ones are cut

    DatagramBatch();
    ~DatagramBatch();
    DatagramBatch(const DatagramBatch&) = delete;
    DatagramBatch& operator=(const DatagramBatch&) = delete;

    /// How many came; 0 when there is nothing more.
    [[nodiscard]] std::size_t receive(FdRef socket);
    [[nodiscard]] std::string_view datagram(std::size_t index) const;
    [[nodiscard]] InetAddress sender(std::size_t index) const;
    /// Queues an answer to the sender of `index`.
    void reply(std::size_t index, std::string data);
    /// Sends what is queued; what doesn't fit the socket's buffer is lost, as datagrams may be.
    void flush(FdRef socket);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};
void send_datagram_to(FdRef socket, const InetAddress& peer, std::string_view data);

}  // namespace compose::sys
