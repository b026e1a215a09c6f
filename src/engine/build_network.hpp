// The network of a build's RUN steps: one bridge with a way to the outside, made when the first step needs it. Its
// containers have no rows, so their addresses are given out here.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/build_workspace.hpp"
#include "net/address.hpp"
#include "store/store.hpp"
#include "sys/fd.hpp"

namespace compose::engine {

class BuildNetwork {
public:
    BuildNetwork(store::Layout layout, BuildWorkspace& workspace) : layout_(std::move(layout)), workspace_(workspace) {}
    ~BuildNetwork();
    BuildNetwork(const BuildNetwork&) = delete;
    BuildNetwork& operator=(const BuildNetwork&) = delete;

    /// Its place in the network, until destroyed.
    class Seat {
    public:
        Seat(BuildNetwork& network, std::size_t number) : network_(network), number_(number) {}
        ~Seat();
        Seat(const Seat&) = delete;
        Seat& operator=(const Seat&) = delete;
        [[nodiscard]] net::Ipv4 address() const;
        [[nodiscard]] net::Ipv4 gateway() const;
        void connect(sys::FdRef netns) const;

    private:
        BuildNetwork& network_;
        std::size_t number_;
    };
    [[nodiscard]] std::unique_ptr<Seat> take_seat();

private:
    void make();

    const store::Layout layout_;
    BuildWorkspace& workspace_;
    std::mutex mutex_;
    std::optional<store::Network> row_;
    net::Prefix subnet_;
    net::Ipv4 gateway_;
    std::vector<bool> taken_;
};

/// resolv.conf for steps: the host's name servers, which the bridge's way out reaches.
[[nodiscard]] std::string build_resolv_conf(const std::string& hosts_own);

}  // namespace compose::engine
