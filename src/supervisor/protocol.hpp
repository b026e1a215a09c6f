// What commands and supervisor say to each other over control.sock: one JSON text per SOCK_SEQPACKET packet, at most
// 1 MiB, descriptors beside it. Whatever does not parse exactly is refused; both sides are hostile to each other.
//
//   {"v":1,"seq":7,"op":"stop","id":"…","timeout":10000000000}  ->
//   <-  {"v":1,"seq":7}                                      done
//   <-  {"v":1,"seq":7,"error":{"message":"…","kind":0,"exit":1,"code":0,"hint":""}}
//   <-  {"v":1,"event":{"id":"…","state":"running",…}}       to subscribers
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "runtime/spec.hpp"
#include "supervisor/client.hpp"

namespace compose::supervisor {

inline constexpr int kProtocolVersion = 1;

enum class Operation {
    hello,
    start,
    stop,
    kill,
    restart,
    forget,
    exec,
    wait_exec,
    signal_exec,
    subscribe,
    pause,
    unpause,
    attach,
    refresh,
    take_ports,
};

struct Request {
    std::uint64_t seq = 0;
    Operation operation = Operation::hello;
    std::string id;                                   // of the container
    std::optional<std::chrono::nanoseconds> timeout;  // stop, restart
    int signal = 0;                                   // kill, signal_exec, stop (0: the container's own)
    std::uint64_t exec_id = 0;                        // wait_exec, signal_exec
    runtime::ProcessSpec process;                     // exec
    bool detach = false;                              // exec
    bool begin = false;                               // attach: start it too
    bool input = false;                               // attach: wants to write to it
    std::string from;                                 // take_ports: the container that has them
};

struct Failure {
    std::string message;
    std::string hint;
    ErrorKind kind = ErrorKind::generic;
    int exit_code = 1;
    int code = 0;

    [[nodiscard]] static Failure from(const Error& error);
    [[nodiscard]] Error to_error() const;
};

struct Reply {
    std::uint64_t seq = 0;
    std::optional<Failure> failure;
    std::uint64_t exec_id = 0;  // exec
    int result = 0;             // wait_exec: the exit code; attach: which descriptors there are (kAttach...)
    std::string version;        // hello: of the program
};

/// In this order, beside the reply to attach.
inline constexpr int kAttachIn = 1, kAttachOut = 2, kAttachErr = 4, kAttachTerminal = 8;

/// A reply or an event.
struct Message {
    std::optional<Reply> reply;
    std::optional<StateChange> change;
};

[[nodiscard]] std::string encode(const Request& request);
[[nodiscard]] std::string encode(const Reply& reply);
[[nodiscard]] std::string encode(const StateChange& change);
/// Throw Error(invalid) for anything that encode() does not make, Error(unavailable) for another protocol version.
[[nodiscard]] Request decode_request(std::string_view text);
[[nodiscard]] Message decode_message(std::string_view text);

}  // namespace compose::supervisor
