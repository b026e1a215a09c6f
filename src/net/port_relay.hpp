// Carries what no rule of the firewall can lead to a container: connections from ::1, which the kernel never lets leave
// its interface, and those of the family of which the container has no address. The socket is the one that holds the
// port anyway. Never waits for a peer; what is held for one of them is bounded.
#pragma once

#include <memory>
#include <string>

#include "sys/event_loop.hpp"
#include "sys/fd.hpp"
#include "sys/inet.hpp"

namespace compose::net {

class PortRelay {
public:
    PortRelay() = default;
    virtual ~PortRelay() = default;  // ends its connections and takes no more
    PortRelay(const PortRelay&) = delete;
    PortRelay& operator=(const PortRelay&) = delete;

    /// What comes from now on goes there; what is under way is carried to its end.
    virtual void turn_to(const sys::InetAddress& target) = 0;
};

/// `socket`: bound and non-blocking, of `protocol` (tcp or udp); it must outlive the relay. Throws Error.
[[nodiscard]] std::unique_ptr<PortRelay> open_port_relay(sys::EventLoop& loop, sys::FdRef socket,
                                                         const std::string& protocol, const sys::InetAddress& target);

/// One of each kind.
[[nodiscard]] std::unique_ptr<PortRelay> open_stream_relay(sys::EventLoop& loop, sys::FdRef socket,
                                                           const sys::InetAddress& target);
[[nodiscard]] std::unique_ptr<PortRelay> open_datagram_relay(sys::EventLoop& loop, sys::FdRef socket,
                                                             const sys::InetAddress& target);

}  // namespace compose::net
