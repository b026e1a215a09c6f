// Everything that is known of one container, from its rows, its specification and its folder.
#pragma once

#include <compose/containers.hpp>
#include <string>

#include "store/store.hpp"

namespace compose::engine {

/// The row that a name, an id or the beginning of an id means. Throws not_found, or conflict when several begin so.
[[nodiscard]] store::Container find_container(store::Store& store, const std::string& reference);
[[nodiscard]] ContainerDetails container_details(store::Store& store, const store::Container& row);

}  // namespace compose::engine
