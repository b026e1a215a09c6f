// The file system of this machine as the loader sees it.
#pragma once

#include <compose/load.hpp>
#include <memory>

namespace compose {

[[nodiscard]] std::unique_ptr<FileSource> make_local_files();

}  // namespace compose
