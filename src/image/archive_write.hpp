// Images as one tar: an OCI layout (index.json, blobs/sha256/...), with Docker's manifest.json beside it if wanted. The
// same images give the same bytes.
#pragma once

#include <string>
#include <vector>

#include "image/byte_sink.hpp"
#include "image/interrupt.hpp"
#include "image/outgoing.hpp"
#include "image/reference.hpp"

namespace compose::image {

struct ArchivedImage {
    OutgoingImage image;
    std::vector<Reference> names;  // may be empty
    Platform platform;
};

void write_archive(const std::vector<ArchivedImage>& images, const ContentStore& blobs, bool docker, ByteSink& out,
                   const Interrupt& interrupt);

}  // namespace compose::image
