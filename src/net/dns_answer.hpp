// What we say to a question by ourselves: a pure function of the question, the table and who asks.
#pragma once

#include <optional>
#include <string>

#include "net/dns_message.hpp"
#include "net/dns_server.hpp"
#include "net/dns_table.hpp"

namespace compose::net {

/// Nothing: somebody else must be asked. `turn` rotates several addresses, so that clients spread over the replicas.
[[nodiscard]] std::optional<std::string> answer_locally(const dns::Query& query, const DnsTable& table,
                                                        const DnsClient& client, unsigned turn, std::size_t limit);
/// When nobody can be asked. A name without a dot can only be one of ours, so it surely does not exist.
[[nodiscard]] std::string answer_unreachable(const dns::Query& query, std::size_t limit);

}  // namespace compose::net
