#include "plan/port_table.hpp"

#include "base/ipv6.hpp"
#include "base/strings.hpp"

namespace compose::plan {
namespace {

bool is_wildcard(const std::string& address) {
    return address == "0.0.0.0" || address == "::";
}

bool is_ipv6(const std::string& address) {
    return address.find(':') != std::string::npos;
}

}  // namespace

bool addresses_overlap(const std::string& one, const std::string& other) {
    const std::string a = canonical_address(one);
    const std::string b = canonical_address(other);
    if (a.empty() || b.empty() || a == b) return true;
    return is_ipv6(a) == is_ipv6(b) && (is_wildcard(a) || is_wildcard(b));
}

std::string describe(const Port& port) {
    std::string text = address_prefix(port.host_ip) + std::to_string(port.published_first);
    if (port.published_last > port.published_first) text += "-" + std::to_string(port.published_last);
    return text + "/" + port.protocol;
}

void PortTable::take(const std::string& protocol, const std::string& host_ip, std::uint16_t port, std::string holder) {
    taken_[{protocol, port}].push_back({host_ip, std::move(holder)});
}

const PortTable::Entry* PortTable::find(const std::string& protocol, const std::string& host_ip,
                                        std::uint16_t port) const {
    const auto found = taken_.find({protocol, port});
    if (found == taken_.end()) return nullptr;
    for (const Entry& entry : found->second)
        if (addresses_overlap(entry.host_ip, host_ip)) return &entry;
    return nullptr;
}

std::string PortTable::take_one_of(const Port& port, const std::string& holder) {
    const Entry* blocked = nullptr;
    const unsigned last = std::max(port.published_first, port.published_last);
    for (unsigned number = port.published_first; number <= last; ++number) {
        const auto candidate = static_cast<std::uint16_t>(number);
        const Entry* entry = find(port.protocol, port.host_ip, candidate);
        if (entry == nullptr) {
            take(port.protocol, port.host_ip, candidate, holder);
            return {};
        }
        blocked = entry;
    }
    return blocked->holder;
}

}  // namespace compose::plan
