// An image from one repository to another, with all that its list names: blobs that the other has not are fetched into
// the store on their way.
#pragma once

#include "image/content_store.hpp"
#include "image/manifest.hpp"
#include "image/registry.hpp"

namespace compose::image {

/// What the source's reference stands for is then at the target by its digest. Hold a LayerLease.
[[nodiscard]] Descriptor copy_image(Registry& from, Registry& to, const ContentStore& blobs);

}  // namespace compose::image
