#include "engine/build_archive.hpp"

#include "base/error.hpp"
#include "image/hashing_pipe.hpp"
#include "image/layer_writer.hpp"
#include "image/tar.hpp"
#include "sys/dir.hpp"

namespace compose::engine {

bool is_archive(sys::FdRef file) {
    try {
        image::HashingPipe source(file);
        image::TarReader reader(source);
        image::TarEntry entry;
        return reader.next(entry);
    } catch (const Error&) {
        return false;
    }
}

void unpack_archive(sys::FdRef archive, const std::string& folder) {
    const auto root = sys::open_directory(folder);
    image::HashingPipe source(archive);
    image::TarReader reader(source);
    image::LayerWriter files(root, true);
    image::TarEntry entry;
    while (reader.next(entry)) files.write(entry, reader);
    files.finish();
}

}  // namespace compose::engine
