// Objects in the shape of Docker's API, whose field names scripts read. Pure.
#pragma once

#include <compose/containers.hpp>
#include <compose/objects.hpp>

#include "base/json.hpp"
#include "base/template.hpp"

namespace compose::cli {

[[nodiscard]] json::object inspect_container(const ContainerDetails& details);
[[nodiscard]] bool has_ipv4(const NetworkView& view);
[[nodiscard]] json::object inspect_network(const NetworkView& view);
[[nodiscard]] json::object inspect_volume(const VolumeView& view);

/// Which members may be absent, and which are maps of data.
[[nodiscard]] const TemplateShape& inspect_shape();

/// JSON with an indent of four, as Docker's.
[[nodiscard]] std::string pretty(const json::value& value, std::size_t depth = 0);

}  // namespace compose::cli
