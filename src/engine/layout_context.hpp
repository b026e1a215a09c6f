// A named context that is an image in an OCI layout folder.
#pragma once

#include <stop_token>
#include <string>

#include "store/store.hpp"

namespace compose::engine {

inline constexpr std::string_view kLayoutScheme = "oci-layout://";

/// "oci-layout:///folder[:tag]": brings the image into the store, without a name, and returns its id. Hold a
/// LayerLease. Throws Error when the folder has no such image, or several and no tag says which.
[[nodiscard]] std::string load_layout_image(store::Store& store, const std::string& address,
                                            const std::string& platform, const std::stop_token& cancel);

}  // namespace compose::engine
