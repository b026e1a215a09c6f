// Where a build's result goes beside the store: a folder, or an archive.
#pragma once

#include "engine/build_shared.hpp"

namespace compose::engine {

/// Types image (nothing to do), local and tar: the files of the last stage; oci and docker: the image.
void write_output(BuildShared& shared, const BuiltLayers& built, const BuildOutput& output);

}  // namespace compose::engine
