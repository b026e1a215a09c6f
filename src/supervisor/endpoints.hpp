// The network side of one container's run: its endpoints, its resolver's sockets, its published ports.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/port_relay.hpp"
#include "supervisor/core.hpp"
#include "supervisor/host_ports.hpp"

namespace compose::supervisor {

class Endpoints {
public:
    /// `host_ports`: of the same container; they outlive this.
    Endpoints(Core& core, std::string container_id, const HostPorts& host_ports);

    /// Connects the new network namespace to its networks and publishes the ports taken. `container`: for its DNS
    /// servers.
    void connect(const store::Container& container, sys::FdRef netns);
    /// Takes over what an earlier supervisor connected, after recall_sockets(); `pid` is the container's first process.
    void adopt(const store::Container& container, pid_t pid);
    /// The host ports that another container had until now lead here, at once; so do its relays.
    void take_over(Endpoints& from);
    /// Its networks have changed while it runs: interfaces come and go, its names and ports follow.
    void refresh(const store::Container& container, pid_t pid);
    /// What of the wishes needs ports of this host (see publication.hpp).
    [[nodiscard]] std::vector<PortWish> on_host(std::vector<PortWish> wishes) const;
    /// The resolver's sockets of a container that an earlier supervisor connected; with them disconnect() finds its
    /// namespace. Never throws.
    void recall_sockets(std::map<std::string, Held>& held) noexcept;
    /// Of a container that was found dead or half started: its ports may still be published. disconnect() comes next.
    /// Never throws.
    void recall() noexcept;
    /// The container is down: nothing points to it any more. Its veth pairs vanish with its namespace. Never throws.
    void disconnect() noexcept;
    /// After someone has flushed the firewall's rules.
    void publish_again();

private:
    struct Plan;
    [[nodiscard]] Plan plan() const;
    void ensure_network(const store::Network& network) const;
    void connect_interfaces(const Plan& plan, sys::FdRef netns) const;
    void free_parents() noexcept;
    void publish(const Plan& plan);
    void put_networks_back(const Plan& plan) const;
    void open_relays();
    [[nodiscard]] static net::DnsClient dns_client(const store::Container& container, const Plan& plan);
    void serve_dns(const store::Container& container, const Plan& plan, net::DnsSockets sockets);

    Core& core_;
    std::string id_;
    net::DnsSockets dns_;
    bool serving_ = false;
    const HostPorts& host_ports_;
    std::vector<net::PublishedPort> published_;
    std::map<int, std::unique_ptr<net::PortRelay>> relays_;  // by the descriptor of the socket
    std::map<std::string, std::string> connected_;  // host's end -> what stands on a parent inside; empty: a veth pair
};

}  // namespace compose::supervisor
