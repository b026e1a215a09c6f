// Datagrams of a socket that is bound to many addresses: answers leave from the one that was asked.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "sys/fd.hpp"
#include "sys/inet.hpp"

namespace compose::sys {

struct Datagram {
    std::string_view data;
    InetAddress peer;
    InetAddress local;  // where it was sent to; its port is 0
};

/// From now on receive_datagram() can say where they were sent to, and bursts have room.
void prepare_datagrams(FdRef socket);
/// Into `buffer`; nothing when none waits (or one is damaged).
[[nodiscard]] std::optional<Datagram> receive_datagram(FdRef socket, std::span<char> buffer);
/// What can't be sent is lost, as datagrams may be.
void send_datagram_between(FdRef socket, const InetAddress& local, const InetAddress& peer, std::string_view data);

}  // namespace compose::sys
