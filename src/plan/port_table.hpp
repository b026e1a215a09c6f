// Host ports while planning: who has which. A wildcard address and a specific one exclude each other.
#pragma once

#include <compose/service.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace compose::plan {

class PortTable {
public:
    void take(const std::string& protocol, const std::string& host_ip, std::uint16_t port, std::string holder);
    /// Takes the lowest free port of the published range. Empty on success, else who has the last one of the range.
    [[nodiscard]] std::string take_one_of(const Port& port, const std::string& holder);

private:
    struct Entry {
        std::string host_ip;
        std::string holder;
    };
    [[nodiscard]] const Entry* find(const std::string& protocol, const std::string& host_ip, std::uint16_t port) const;
    std::map<std::pair<std::string, std::uint16_t>, std::vector<Entry>> taken_;
};

/// Do both addresses, however written, cover a common one? Empty means all of both families, 0.0.0.0 and :: all of one.
[[nodiscard]] bool addresses_overlap(const std::string& one, const std::string& other);
/// "127.0.0.1:8080/tcp", "[::1]:8080/tcp", "8000-8010/udp"
[[nodiscard]] std::string describe(const Port& port);

}  // namespace compose::plan
