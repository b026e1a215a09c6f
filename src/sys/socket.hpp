// Unix sockets with descriptor passing and peer credentials.
#pragma once

#include <sys/types.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "sys/fd.hpp"

namespace compose::sys {

struct SocketPair {
    Fd first;
    Fd second;
};
/// SOCK_SEQPACKET, close-on-exec.
[[nodiscard]] SocketPair make_seqpacket_pair();

/// Listens at `path` (an old socket there is replaced), SOCK_SEQPACKET, mode 0600. Paths longer than sun_path work.
[[nodiscard]] Fd listen_unix(const std::string& path);
/// Nothing when nobody listens there.
[[nodiscard]] std::optional<Fd> connect_unix(const std::string& path);
/// The same with a stream, and whatever mode the umask leaves: in a folder that nobody else can enter. Non-blocking.
[[nodiscard]] Fd listen_unix_stream(const std::string& path);
/// Non-blocking. Nothing when nobody listens there, or too many wait.
[[nodiscard]] std::optional<Fd> connect_unix_stream(const std::string& path);
/// Nothing when there is no connection waiting (the listener is non-blocking).
[[nodiscard]] std::optional<Fd> accept_unix(FdRef listener);
[[nodiscard]] uid_t peer_uid(FdRef socket);

struct Packet {
    std::string data;
    std::vector<Fd> fds;  // at most 8
};
/// One packet. False when the peer's buffer is full (non-blocking socket); throws Error when the peer is gone.
bool send_packet(FdRef socket, std::string_view data, const std::vector<FdRef>& fds = {});
enum class Received { packet, nothing, closed };
/// One packet of at most 1 MiB; descriptors beyond 8 are closed. `nothing`: non-blocking and empty.
Received receive_packet(FdRef socket, Packet& out);

}  // namespace compose::sys
