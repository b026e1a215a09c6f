// The host ports of one container: taken in the database against other containers, and with bound sockets against
// everyone else on this host.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "supervisor/core.hpp"

namespace compose::supervisor {

struct PortWish {
    std::string protocol = "tcp";
    std::string host_ip;                // empty: all addresses
    std::uint16_t first = 0, last = 0;  // 0: any free one
    std::uint16_t container_port = 0;
};
[[nodiscard]] std::string to_json(const std::vector<PortWish>& wishes);
/// Throws Error(invalid) on anything that to_json did not write.
[[nodiscard]] std::vector<PortWish> port_wishes_from_json(std::string_view text);

class HostPorts {
public:
    HostPorts(Core& core, std::string container_id);

    /// Takes all of them or, when it throws, none. Error(conflict) names the container or the process that has one.
    void take(const std::vector<PortWish>& wishes);
    /// The other's ports that fit the wishes pass over, at no time nobody's; what it has not is taken as take() does.
    /// Nothing changes when it throws. The container's ports under which the other was reached there. A no-op when some
    /// are taken already.
    std::vector<std::uint16_t> take_over(HostPorts& from, std::vector<PortWish> wishes);
    /// Those that were taken before this supervisor began, and are still this container's.
    void adopt(std::map<std::string, Held>& held);
    /// No error when there are none.
    void release();
    [[nodiscard]] const std::vector<sys::Fd>& sockets() const { return sockets_; }
    [[nodiscard]] bool taken() const { return !sockets_.empty(); }

private:
    void take_one(const PortWish& wish);
    bool reserve(const PortWish& wish, std::uint16_t port);
    void hand_to_keeper(const std::vector<sys::FdRef>& sockets);

    Core& core_;
    std::string id_;
    std::vector<sys::Fd> sockets_;
    std::vector<std::string> names_;  // under which the keeper has them
};

}  // namespace compose::supervisor
