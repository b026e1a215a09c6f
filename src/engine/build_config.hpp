// Between the builder's idea of how an image runs and the image's own. Pure.
#pragma once

#include "build/run_config.hpp"
#include "image/config.hpp"

namespace compose::engine {

[[nodiscard]] build::RunConfig run_config_of(const image::ImageConfig& config);
void put_run_config(const build::RunConfig& from, image::ImageConfig& to);

}  // namespace compose::engine
