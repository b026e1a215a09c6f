// Dockerfile instructions that change an image's config, as `import --change` takes them. Pure.
#pragma once

#include <string_view>

#include "image/config.hpp"

namespace compose::image {

/// CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR. Throws Error(invalid) that
/// quotes the instruction.
void apply_change(ImageConfig& config, std::string_view instruction);

}  // namespace compose::image
