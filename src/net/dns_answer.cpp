#include "net/dns_answer.hpp"

#include <algorithm>
#include <vector>

#include "base/strings.hpp"

namespace compose::net {

std::optional<std::string> answer_locally(const dns::Query& query, const DnsTable& table, const DnsClient& client,
                                          unsigned turn, std::size_t limit) {
    std::vector<dns::Record> records;
    const auto link = client.links.empty() ? client.links.end() : client.links.find(lower(query.name));
    const std::string& wanted = link == client.links.end() ? query.name : link->second;
    const DnsTable::Answer found = wanted.empty() ? DnsTable::Answer{} : table.lookup(wanted, client.networks);
    if (found.known) {
        // Every other type gets an empty answer: asking elsewhere would say that the name does not exist.
        if (query.type == dns::kA || query.type == dns::kAny) {
            std::transform(found.addresses.begin(), found.addresses.end(), std::back_inserter(records),
                           dns::address_record);
        }
        if (query.type == dns::kAaaa || query.type == dns::kAny)
            std::transform(found.addresses6.begin(), found.addresses6.end(), std::back_inserter(records),
                           dns::address6_record);
        if (records.size() > 1) {
            std::rotate(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(turn % records.size()),
                        records.end());
        }
        return dns::render_reply(query, dns::Code::ok, records, limit);
    }
    if (query.type == dns::kPtr) {
        const auto address = dns::parse_reverse_name(query.name);
        const std::string name = address ? table.reverse(*address, client.networks) : std::string();
        if (!name.empty()) {
            records.push_back(dns::pointer_record(name));
            return dns::render_reply(query, dns::Code::ok, records, limit);
        }
    }
    // A container without a way out must not get one through us, not even the few bytes that fit a name.
    if (!client.forward) return dns::render_reply(query, dns::Code::no_such_name, {}, limit);
    return std::nullopt;
}

std::string answer_unreachable(const dns::Query& query, std::size_t limit) {
    const bool single = !query.name.empty() && query.name.find('.') == std::string::npos;
    return dns::render_reply(query, single ? dns::Code::no_such_name : dns::Code::server_failure, {}, limit);
}

}  // namespace compose::net
