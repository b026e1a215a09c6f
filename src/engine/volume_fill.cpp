#include "engine/volume_fill.hpp"

#include <filesystem>

#include "base/error.hpp"
#include "engine/materialize.hpp"
#include "image/copy_up.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"

namespace compose::engine {

void fill_volume(store::Store& store, const std::string& name, const std::string& target, const ImageFacts& image) {
    const store::Layout& layout = store.layout();
    const auto lock = sys::FileLock::acquire(layout.volume(name) + "/lock", std::chrono::minutes(10));
    if (!lock) throw make_error(ErrorKind::conflict, "volume {} is being filled by another command, which hangs", name);
    const auto row = store.volume(name);
    if (!row || row->copied_up) return;
    const std::string folder = layout.volume_data(name);
    if (sys::list_directory(folder).empty()) {
        std::vector<std::string> lowers;
        for (auto layer = image.layers.rbegin(); layer != image.layers.rend(); ++layer)
            lowers.push_back(layout.layer(*layer));
        // Beside it first: a killed copy must not look like a volume that somebody has filled.
        const std::string beside = layout.volume(name) + "/filling";
        sys::remove_tree(beside);
        make_shared_directory(beside);
        const bool copied = image::copy_up(lowers, target, beside);
        if (copied)
            std::filesystem::rename(beside, folder);
        else
            sys::remove_tree(beside);
    }
    store.mark_copied_up(name);
}

}  // namespace compose::engine
