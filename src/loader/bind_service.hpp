// Canonical tree -> Service. Values were checked by the stages before; what is still malformed is reported, never
// thrown.
#pragma once

#include <compose/diagnostics.hpp>
#include <compose/service.hpp>
#include <string>

#include "model/node.hpp"

namespace compose {

[[nodiscard]] Service bind_service(const Node::Entry& entry, const std::string& project, Diagnostics& findings);

[[nodiscard]] std::vector<Port> bind_ports(const Node& service, const std::string& path, Diagnostics& findings);
/// `volumes` and `tmpfs`, in this order.
[[nodiscard]] std::vector<Mount> bind_mounts(const Node& service);

/// A mapping of texts.
[[nodiscard]] std::map<std::string, std::string> bind_texts(const Node* map);
/// A list of texts.
[[nodiscard]] std::vector<std::string> bind_list(const Node* list);
[[nodiscard]] bool bind_flag(const Node& map, std::string_view key, bool fallback = false);

}  // namespace compose
