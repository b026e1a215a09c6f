// The rewriting rules behind canonicalize(): each takes one value in any form the schema allows and leaves its long
// form. A value of a wrong type stays as it is. Every node a rule makes keeps the place of the text it came from.
#pragma once

#include <compose/diagnostics.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "loader/path_pattern.hpp"
#include "model/node.hpp"

namespace compose {

struct CanonicalContext {
    Diagnostics& findings;
    bool interpolated = true;
    std::size_t ports = 0;  // made so far from ranges of this file

    /// True for a text that is an expression still, and so can't be parsed.
    [[nodiscard]] bool opaque(const Node& node) const;
    void error(const Node& node, const PathFrame& path, std::string message, std::string hint = {});
};

using CanonicalRule = void (*)(Node&, const PathFrame&, CanonicalContext&);

// canonical_lists: texts, lists and mappings into each other
void canonical_list(Node& node, const PathFrame& path, CanonicalContext& context);         // "x" -> [x]
void canonical_unique_list(Node& node, const PathFrame& path, CanonicalContext& context);  // the same; repeats removed
void canonical_command(Node& node, const PathFrame& path, CanonicalContext& context);      // shell words
void canonical_test(Node& node, const PathFrame& path, CanonicalContext& context);         // "x" -> [CMD-SHELL, x]
void canonical_map(Node& node, const PathFrame& path, CanonicalContext& context);     // [K=V, K] -> {K: V, K: null}
void canonical_labels(Node& node, const PathFrame& path, CanonicalContext& context);  // the same; null -> ""
void canonical_hosts(Node& node, const PathFrame& path, CanonicalContext& context);   // -> [host=ip]
void canonical_ssh(Node& node, const PathFrame& path, CanonicalContext& context);     // -> [id=path]
void canonical_names(Node& node, const PathFrame& path, CanonicalContext& context);   // [a] -> {a: null}
void canonical_option_lists(Node& node, const PathFrame& path, CanonicalContext& context);  // {k: v} -> {k: [v]}

// canonicalize: structures
void canonical_build(Node& node, const PathFrame& path, CanonicalContext& context);
void canonical_extends(Node& node, const PathFrame& path, CanonicalContext& context);
void canonical_depends_on(Node& node, const PathFrame& path, CanonicalContext& context);
void canonical_env_file(Node& node, const PathFrame& path, CanonicalContext& context);
void canonical_grant(Node& node, const PathFrame& path, CanonicalContext& context);
void canonical_device(Node& node, const PathFrame& path, CanonicalContext& context);
void canonical_gpus(Node& node, const PathFrame& path, CanonicalContext& context);
void canonical_resource(Node& node, const PathFrame& path, CanonicalContext& context);  // obsolete external: {name}

// canonical_ports, canonical_mounts
void canonical_ports(Node& node, const PathFrame& path, CanonicalContext& context);
void canonical_expose(Node& node, const PathFrame& path, CanonicalContext& context);
void canonical_mount(Node& node, const PathFrame& path, CanonicalContext& context);

}  // namespace compose
