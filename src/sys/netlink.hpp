// Netlink, the framing only: messages built one after the other into one buffer, sent as one datagram, answers read
// back. Knows no protocol: rtnetlink stands in links.hpp, nf_tables in nftables.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "sys/fd.hpp"

namespace compose::sys {

/// An attribute's length field counts its own header in 16 bits: what is longer would silently be cut to its remainder.
inline constexpr std::size_t kMaxNetlinkAttribute = 65'531;

class NetlinkBuffer {
public:
    /// Starts a message (NLM_F_REQUEST is added) and returns its sequence number, counted from 1.
    std::uint32_t begin(unsigned type, unsigned flags, const void* body, std::size_t size);
    template <class Body>
    std::uint32_t begin(unsigned type, unsigned flags, const Body& body) {
        return begin(type, flags, &body, sizeof body);
    }
    // All of these append to the message begun last. Throw Error when the attribute would be too long.
    void attribute(unsigned type, const void* data, std::size_t size);
    void attribute(unsigned type, std::string_view bytes) { attribute(type, bytes.data(), bytes.size()); }
    template <class Value>
    requires std::is_arithmetic_v<Value>
    void attribute(unsigned type, Value value) { attribute(type, &value, sizeof value); }
    void attribute_be32(unsigned type, std::uint32_t value);
    void attribute_be64(unsigned type, std::uint64_t value);
    void text(unsigned type, std::string_view value);  // with the final NUL
    /// A nested attribute: everything until close() of the returned place lies in it.
    [[nodiscard]] std::size_t open(unsigned type);
    void close(std::size_t nest);
    void raw(const void* data, std::size_t size);

    [[nodiscard]] std::string_view bytes() const { return bytes_; }
    [[nodiscard]] std::uint32_t count() const { return count_; }

private:
    void append(const void* data, std::size_t size);

    std::string bytes_;
    std::size_t message_ = 0;  // where the current message starts
    std::uint32_t count_ = 0;
};

/// One message that the kernel refused.
struct NetlinkFailure {
    std::uint32_t sequence = 0;
    int code = 0;      // errno
    std::string text;  // the kernel's own words, often empty
};

/// The attributes of a received message or of a nest: type -> bytes, each visited once, in order; stops at damage.
void for_each_attribute(std::string_view bytes,
                        const std::function<void(unsigned type, std::string_view value)>& visit);
[[nodiscard]] std::uint32_t read_be32(std::string_view value);  // 0 when it is shorter

class NetlinkSocket {
public:
    /// `protocol`: NETLINK_ROUTE or NETLINK_NETFILTER. Belongs to the network namespace that the thread is in now.
    explicit NetlinkSocket(int protocol);

    /// Called with each answer that is no acknowledgement: its type and everything behind the netlink header.
    using Visitor = std::function<void(unsigned type, std::string_view payload)>;
    /// Sends all messages and reads every answer. The kernel works inside of send, so nothing is waited for.
    [[nodiscard]] std::vector<NetlinkFailure> exchange(const NetlinkBuffer& messages, const Visitor& visit = {});

private:
    Fd fd_;
};

}  // namespace compose::sys
