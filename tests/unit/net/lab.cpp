#include "lab.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <exception>
#include <thread>

#include "sys/error.hpp"
#include "sys/namespaces.hpp"

namespace compose::net::lab {
namespace {

bool ready(int fd, short events, int patience_ms) {
    pollfd wanted{fd, events, 0};
    return ::poll(&wanted, 1, patience_ms) == 1;
}

sockaddr_in address_of(const std::string& address, int port) {
    sockaddr_in raw{};
    raw.sin_family = AF_INET;
    raw.sin_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET, address.c_str(), &raw.sin_addr);
    return raw;
}

std::string text_of(const sockaddr_in& raw) {
    std::array<char, INET_ADDRSTRLEN> text{};
    return ::inet_ntop(AF_INET, &raw.sin_addr, text.data(), text.size());
}

sys::Fd open_in(sys::FdRef netns, int type, int port) {
    sys::Fd fd;
    sys::run_in_netns(netns, [&] { fd = sys::Fd(::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); });
    if (!fd) throw sys::errno_error("socket");
    if (port != 0) {
        const sockaddr_in any = address_of("0.0.0.0", port);
        if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) throw sys::errno_error("bind");
    }
    return fd;
}

}  // namespace

void run(const std::function<void()>& body) {
    bool allowed = true;
    std::thread([&] {
        allowed = ::unshare(CLONE_NEWNET) == 0;
        if (!allowed) return;
        try {
            EXPECT_TRUE(shell("ip link set lo up").ok);
            body();
        } catch (const std::exception& error) {
            ADD_FAILURE() << error.what();
        }
    }).join();
    if (!allowed) GTEST_SKIP() << "needs the right to make network namespaces";
}

sys::Fd make_netns() {
    sys::Fd fd;
    std::thread([&] {
        if (::unshare(CLONE_NEWNET) == 0) fd = sys::open_own_netns();
    }).join();
    if (!fd) throw make_error("no network namespace");
    return fd;
}

Output shell(const std::string& command) {
    std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    Output output;
    std::array<char, 4096> buffer{};
    while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe))
        output.text.append(buffer.data(), size);
    output.ok = ::pclose(pipe) == 0;
    return output;
}

Output shell_in(sys::FdRef netns, const std::string& command) {
    Output output;
    sys::run_in_netns(netns, [&] { output = shell(command); });
    return output;
}

BridgeSpec bridge_spec(const std::string& name, const std::string& subnet) {
    const Prefix prefix = Prefix::parse(subnet).value();
    return {.name = name, .subnet = prefix, .gateway = prefix.first()};
}

Machine make_container(const BridgeSpec& bridge, unsigned host, bool default_route) {
    Machine machine{make_netns(), Ipv4{bridge.subnet->network.value + host}};
    const EndpointSpec endpoint{.bridge = bridge.name,
                                .host_name = fmt::format("{}-{}", bridge.name, host),
                                .container_name = "eth0",
                                .index = 2,
                                .address = machine.address,
                                .prefix_length = bridge.subnet->length,
                                .mac = mac_of(machine.address),
                                .mtu = bridge.mtu,
                                .gateway = default_route ? std::optional(bridge.gateway) : std::nullopt};
    connect_endpoints(std::span(&endpoint, 1), machine.netns);
    return machine;
}

Machine make_outsider() {
    Machine machine{make_netns(), Ipv4::parse("192.0.2.2").value()};
    const std::string netns = fmt::format("/proc/{}/fd/{}", ::getpid(), machine.netns.get());
    EXPECT_TRUE(shell("ip link add wan type veth peer name eth0 netns " + netns +
                      " && ip addr add 192.0.2.1/24 dev wan && ip link set wan up")
                    .ok);
    EXPECT_TRUE(shell_in(machine.netns,
                         "ip link set lo up && ip addr add 192.0.2.2/24 dev eth0 && "
                         "ip link set eth0 up && ip route add default via 192.0.2.1 && ip link show dev eth0")
                    .ok);
    EXPECT_TRUE(shell("ip link show dev wan").ok);  // which also makes the kernel notice the carrier
    return machine;
}

sys::Fd listen_in(sys::FdRef netns, int port) {
    sys::Fd fd = open_in(netns, SOCK_STREAM, port);
    if (::listen(fd.get(), 16) != 0) throw sys::errno_error("listen");
    return fd;
}

sys::Fd udp_in(sys::FdRef netns, int port) {
    return open_in(netns, SOCK_DGRAM, port);
}

std::optional<std::string> tcp_peer(sys::FdRef from, const std::string& address, int port, sys::FdRef listener,
                                    int patience_ms) {
    const sys::Fd client = open_in(from, SOCK_STREAM, 0);
    const sockaddr_in to = address_of(address, port);
    if (::connect(client.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS)
        return std::nullopt;
    if (!ready(listener.get(), POLLIN, patience_ms)) return std::nullopt;
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    const sys::Fd server(::accept4(listener.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC));
    if (!server) return std::nullopt;
    // The way back, too.
    char byte = 'x';
    if (::send(server.get(), &byte, 1, MSG_NOSIGNAL) != 1 || !ready(client.get(), POLLIN, patience_ms) ||
        ::recv(client.get(), &byte, 1, 0) != 1)
        return std::nullopt;
    return text_of(peer);
}

std::optional<std::string> udp_peer(sys::FdRef from, const std::string& address, int port, sys::FdRef server,
                                    int patience_ms) {
    const sys::Fd client = open_in(from, SOCK_DGRAM, 0);
    const sockaddr_in to = address_of(address, port);
    // Connected: an answer from any other address than the one asked does not count.
    if (::connect(client.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return std::nullopt;
    char byte = 'x';
    if (::send(client.get(), &byte, 1, MSG_NOSIGNAL) != 1 || !ready(server.get(), POLLIN, patience_ms))
        return std::nullopt;
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (::recvfrom(server.get(), &byte, 1, 0, reinterpret_cast<sockaddr*>(&peer), &size) != 1) return std::nullopt;
    if (::sendto(server.get(), &byte, 1, 0, reinterpret_cast<const sockaddr*>(&peer), size) != 1) return std::nullopt;
    if (!ready(client.get(), POLLIN, patience_ms) || ::recv(client.get(), &byte, 1, 0) != 1) return std::nullopt;
    return text_of(peer);
}

}  // namespace compose::net::lab
