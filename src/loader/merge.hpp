// Puts one tree on top of another by the merge rules of the Compose Specification, a table keyed by path. Works on
// canonical trees (long forms); moves, never copies.
#pragma once

#include <compose/diagnostics.hpp>
#include <string>
#include <vector>

#include "model/node.hpp"

namespace compose {

/// The places that `!reset` and `!override` name in a tree, as keys from the root.
using NodePath = std::vector<std::string>;

/// Takes the tags out of a tree: what `!reset` marks is removed, what `!override` marks stays as a plain value. Returns
/// the places whose earlier value has to go before the tree is merged over another.
[[nodiscard]] std::vector<NodePath> take_reset_paths(Node& root);
/// Removes the places from `root`.
void drop_paths(Node& root, const std::vector<NodePath>& paths);

/// `over` wins where both set a scalar; mappings merge; lists append or replace as the table says.
void merge_tree(Node& base, Node over);
/// The same for one service each (`extends`); both are values of services.*.
void merge_service(Node& base, Node over);
/// Items of keyed lists that a later item of the same list makes void are removed (ports twice, a mount target twice).
void remove_duplicates(Node& root);

}  // namespace compose
