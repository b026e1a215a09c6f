#include "sys/netlink.hpp"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "sys/error.hpp"

namespace compose::sys {
namespace {

constexpr std::size_t kReceiveBuffer = 64 * 1024;

constexpr std::size_t aligned(std::size_t size) {
    return (size + 3U) & ~std::size_t{3};
}

}  // namespace

void NetlinkBuffer::append(const void* data, std::size_t size) {
    if (count_ == 0) throw make_error("netlink attribute before any message");
    if (size > 0) bytes_.append(static_cast<const char*>(data), size);
    bytes_.resize(aligned(bytes_.size()));
    const auto length = static_cast<std::uint32_t>(bytes_.size() - message_);
    std::memcpy(bytes_.data() + message_, &length, sizeof length);
}

std::uint32_t NetlinkBuffer::begin(unsigned type, unsigned flags, const void* body, std::size_t size) {
    nlmsghdr header{};
    header.nlmsg_type = static_cast<std::uint16_t>(type);
    header.nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
    header.nlmsg_seq = ++count_;
    message_ = bytes_.size();
    append(&header, sizeof header);
    append(body, size);
    return count_;
}

void NetlinkBuffer::attribute(unsigned type, const void* data, std::size_t size) {
    if (size > kMaxNetlinkAttribute) throw make_error("netlink attribute {} is too long: {} bytes", type, size);
    const nlattr header{static_cast<std::uint16_t>(sizeof(nlattr) + size), static_cast<std::uint16_t>(type)};
    append(&header, sizeof header);
    append(data, size);
}

void NetlinkBuffer::attribute_be32(unsigned type, std::uint32_t value) {
    attribute(type, htobe32(value));
}
void NetlinkBuffer::attribute_be64(unsigned type, std::uint64_t value) {
    attribute(type, htobe64(value));
}

void NetlinkBuffer::text(unsigned type, std::string_view value) {
    const std::string terminated(value);
    attribute(type, terminated.c_str(), terminated.size() + 1);
}

std::size_t NetlinkBuffer::open(unsigned type) {
    const std::size_t nest = bytes_.size();
    const nlattr header{sizeof(nlattr), static_cast<std::uint16_t>(type | NLA_F_NESTED)};
    append(&header, sizeof header);
    return nest;
}

void NetlinkBuffer::close(std::size_t nest) {
    const std::size_t size = bytes_.size() - nest;
    if (size - sizeof(nlattr) > kMaxNetlinkAttribute) throw make_error("netlink attribute is too long: {} bytes", size);
    const auto length = static_cast<std::uint16_t>(size);
    std::memcpy(bytes_.data() + nest, &length, sizeof length);
}

void NetlinkBuffer::raw(const void* data, std::size_t size) {
    append(data, size);
}

void for_each_attribute(std::string_view bytes,
                        const std::function<void(unsigned type, std::string_view value)>& visit) {
    while (bytes.size() >= sizeof(nlattr)) {
        nlattr header{};
        std::memcpy(&header, bytes.data(), sizeof header);
        if (header.nla_len < sizeof header || header.nla_len > bytes.size()) return;
        visit(header.nla_type & static_cast<unsigned>(NLA_TYPE_MASK),
              bytes.substr(sizeof header, header.nla_len - sizeof header));
        bytes.remove_prefix(std::min(aligned(header.nla_len), bytes.size()));
    }
}

std::uint32_t read_be32(std::string_view value) {
    std::uint32_t raw = 0;
    if (value.size() < sizeof raw) return 0;
    std::memcpy(&raw, value.data(), sizeof raw);
    return be32toh(raw);
}

NetlinkSocket::NetlinkSocket(int protocol) : fd_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol)) {
    if (!fd_) throw errno_error("open netlink socket");
    const int on = 1;
    // Refusals in words and without the request echoed. Kernels without these options only say less.
    (void)::setsockopt(fd_.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
    (void)::setsockopt(fd_.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
}

namespace {

void send_all(FdRef fd, std::string_view bytes) {
    // A datagram must fit the send buffer as a whole.
    if (bytes.size() > 96 * 1024) {
        const int size = static_cast<int>(bytes.size());
        (void)::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    }
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    while (::sendto(fd.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&kernel),
                    sizeof kernel) < 0) {
        if (errno != EINTR) throw errno_error("send to netlink");
    }
}

// Nothing for success.
void read_acknowledgement(const nlmsghdr& header, std::string_view payload, std::vector<NetlinkFailure>& failures) {
    nlmsgerr error{};
    if (payload.size() < sizeof error) return;
    std::memcpy(&error, payload.data(), sizeof error);
    if (error.error == 0) return;
    NetlinkFailure failure{header.nlmsg_seq, -error.error, {}};
    if ((header.nlmsg_flags & NLM_F_ACK_TLVS) != 0) {
        std::size_t skip = sizeof error;
        if ((header.nlmsg_flags & NLM_F_CAPPED) == 0) skip += aligned(error.msg.nlmsg_len) - sizeof(nlmsghdr);
        if (skip <= payload.size()) {
            for_each_attribute(payload.substr(skip), [&](unsigned type, std::string_view value) {
                if (type == NLMSGERR_ATTR_MSG) failure.text = std::string(value.substr(0, value.find('\0')));
            });
        }
    }
    failures.push_back(std::move(failure));
}

}  // namespace

std::vector<NetlinkFailure> NetlinkSocket::exchange(const NetlinkBuffer& messages, const Visitor& visit) {
    send_all(fd_, messages.bytes());
    std::vector<NetlinkFailure> failures;
    std::string buffer(kReceiveBuffer, '\0');
    for (;;) {
        const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && errno == EAGAIN) return failures;
        if (size < 0) throw errno_error("receive from netlink");
        if (static_cast<std::size_t>(size) > buffer.size()) throw make_error("netlink answer of {} bytes", size);
        std::string_view rest(buffer.data(), static_cast<std::size_t>(size));
        while (rest.size() >= sizeof(nlmsghdr)) {
            nlmsghdr header{};
            std::memcpy(&header, rest.data(), sizeof header);
            if (header.nlmsg_len < sizeof header || header.nlmsg_len > rest.size()) break;
            const std::string_view payload = rest.substr(sizeof header, header.nlmsg_len - sizeof header);
            if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) failures.push_back({header.nlmsg_seq, EINTR, {}});
            if (header.nlmsg_type == NLMSG_ERROR) {
                read_acknowledgement(header, payload, failures);
            } else if (header.nlmsg_type >= NLMSG_MIN_TYPE && visit) {
                visit(header.nlmsg_type, payload);
            }
            rest.remove_prefix(std::min(aligned(header.nlmsg_len), rest.size()));
        }
    }
}

}  // namespace compose::sys
