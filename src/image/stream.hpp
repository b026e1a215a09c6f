// A connection to a server: plain TCP or TLS over it. Blocking for the caller, but never longer than the peer is silent
// for the stall timeout, and never after a stop was asked for.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "image/interrupt.hpp"
#include "sys/fd.hpp"

namespace compose::image {

class Stream {
public:
    virtual ~Stream() = default;
    /// At least one byte; 0 at the end of the stream. Throws ConnectionError.
    [[nodiscard]] virtual std::size_t read(std::span<char> buffer) = 0;
    virtual void write(std::string_view bytes) = 0;
    /// Something waits to be read, or the peer has closed: an idle connection in that state is of no use.
    [[nodiscard]] virtual bool stirred() = 0;
};

/// `host` and `port` name the peer in messages. `only_elsewhere`: nothing that this machine alone can reach.
[[nodiscard]] std::unique_ptr<Stream> connect_tcp(const std::string& host, std::uint16_t port,
                                                  std::chrono::milliseconds connect_timeout,
                                                  std::chrono::milliseconds stall, const Interrupt& interrupt,
                                                  bool only_elsewhere = false);

/// Whom a TLS client believes, and who it is. Made once, shared by threads.
class TlsTrust {
public:
    struct Files {
        std::string roots_file;                // empty: the system's
        std::vector<std::string> extra_roots;  // PEM files
        std::string certificate, key;          // of the client, PEM; empty: none
        bool verify = true;
    };
    explicit TlsTrust(const Files& files);
    ~TlsTrust();
    TlsTrust(const TlsTrust&) = delete;
    TlsTrust& operator=(const TlsTrust&) = delete;

private:
    friend class TlsStream;
    void* context_ = nullptr;
};

/// The peer speaks no TLS at all.
class NotTls : public std::exception {};

/// TLS over `below`; the certificate must be for `host`. Throws NotTls, or Error that says what is wrong with it and,
/// of `authority` ("host:port"), where to put what would make it right.
[[nodiscard]] std::unique_ptr<Stream> start_tls(std::unique_ptr<Stream> below, const TlsTrust& trust,
                                                const std::string& host, const std::string& authority);

}  // namespace compose::image
