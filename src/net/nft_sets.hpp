// The sets and maps of the firewall's table: their names, which the rules look things up in, and the sizes of the parts
// of their keys. Every key of a set of networks begins with the name of the bridge.
#pragma once

#include <cstdint>
#include <string>

namespace compose::net {

// Of networks.
inline const std::string kNetworks = "networks";        // all bridges
inline const std::string kNetworks6 = "networks6";      // bridges that have IPv6 too
inline const std::string kInternals = "internals";      // bridges without a way out
inline const std::string kMasqueraded = "masqueraded";  // bridge . family whose traffic leaves under the host's address
inline const std::string kRouted = "routed";            // bridge . family whose open ports anyone may reach straight
inline const std::string kUnprotected = "unprotected";  // bridge . family that the outside may reach straight
inline const std::string kTrusted = "trusted";          // bridge . interface that may reach its open ports straight
inline const std::string kHomes = "homes";              // bridge . addresses of its subnet
inline const std::string kHomes6 = "homes6";            // the same of IPv6
inline const std::string kPairs = "pairs";              // bridge . the same bridge
// Maps to container address . port.
inline const std::string kPublishedAny = "published_any";    // protocol . host port
inline const std::string kPublishedAddr = "published_addr";  // host address . protocol . host port
inline const std::string kPublishedAny6 = "published_any6";
inline const std::string kPublishedAddr6 = "published_addr6";
// Maps of networks.
inline const std::string kSources = "sources";  // bridge -> address of the host under which its traffic leaves
inline const std::string kSources6 = "sources6";
// Sets of ports.
inline const std::string kRelayed = "relayed";  // family . protocol . host port of our listening sockets
inline const std::string kOpen = "open";        // container address . protocol . port
inline const std::string kOpen6 = "open6";

constexpr std::uint32_t kNameSize = 16;
constexpr unsigned kNameWords = kNameSize / 4;  // that an interface's name takes of the registers
constexpr unsigned kWords6 = 4;                 // that an IPv6 address takes

constexpr std::string_view kIpv4("\x02", 1);
constexpr std::string_view kIpv6("\x0a", 1);

}  // namespace compose::net
