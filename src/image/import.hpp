// From a tar of a root file system to an image of one layer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sys/fd.hpp"

namespace compose::image {

struct ImportedImage {
    std::string id;  // "sha256:..."
    std::string config_json;
    std::vector<std::string> layers;  // chain ids: names of folders in layers_dir
    std::int64_t size = 0;            // bytes of the unpacked files
    std::vector<std::string> warnings;
};

/// Unpacks the tar (plain, gzip or zstd) into `layers_dir` and makes the config. The layer stays until
/// remove_unused_layers() finds it in no image. `created_time` is RFC 3339.
[[nodiscard]] ImportedImage make_imported_image(sys::FdRef tar, const std::string& layers_dir,
                                                const std::vector<std::string>& changes, const std::string& message,
                                                const std::string& created_time);

}  // namespace compose::image
