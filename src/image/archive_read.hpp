// Images from files: a tar (plain, gzip, zstd) or folder with an OCI layout, or Docker's older archive (manifest.json
// and layer.tar files). Names inside an archive are looked up in a table, never on the disk.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "image/pull.hpp"
#include "image/reference.hpp"
#include "sys/fd.hpp"

namespace compose::image {

/// Where the bytes of a file in an archive lie.
struct ArchiveRegion {
    sys::Fd file;
    std::int64_t offset = 0;
    std::int64_t size = 0;
};

class ArchiveFiles {
public:
    virtual ~ArchiveFiles() = default;
    [[nodiscard]] virtual std::optional<ArchiveRegion> find(const std::string& name) = 0;
};

/// Reads the tar to its end. What can't be read a second time is kept in a file without a name in `spool_folder`.
[[nodiscard]] std::unique_ptr<ArchiveFiles> open_tar_archive(sys::FdRef tar, const std::string& spool_folder,
                                                             const Interrupt& interrupt);
[[nodiscard]] std::unique_ptr<ArchiveFiles> open_folder_archive(const std::string& folder);

struct LoadedImage {
    StoredImage image;
    std::vector<Reference> names;
};

/// All images of the archive for the platform (those for others only where there is no such). Hold a LayerLease.
[[nodiscard]] std::vector<LoadedImage> load_archive(ArchiveFiles& files, const StorePlace& place,
                                                    const Platform& platform, const Interrupt& interrupt,
                                                    const std::function<void(const LayerProgress&)>& progress);

}  // namespace compose::image
