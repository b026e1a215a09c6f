// The images of a project with their digests, as they are today.
#pragma once

#include <compose/load.hpp>

namespace compose::cli {

class Context;

/// "name:tag@sha256:..." for every service's image: of the one that is here, since that is what `up` runs; else the
/// registry is asked. What is only built has no name in a registry: it stays as it is.
[[nodiscard]] LoadedProject with_digests(Context& context, const LoadedProject& loaded);

}  // namespace compose::cli
