#include "engine/volume_fill.hpp"

#include "base/error.hpp"
#include "image/copy_up.hpp"
#include "supervisor/volume_mounts.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"

namespace compose::engine {
namespace {

void empty_folder(const std::string& folder) {
    for (const auto& name : sys::list_directory(folder)) sys::remove_tree(folder + "/" + name);
}

}  // namespace

void fill_volume(const store::Store& store, const std::string& name, const std::string& folder,
                 const std::string& target, const ImageFacts& image) {
    const store::Layout& layout = store.layout();
    const auto volume = store.volume(name);
    if (!volume) return;
    if (folder == layout.volume_data(name)) supervisor::mount_once(*volume, folder);
    // Half a copy must not look like a volume that somebody has filled.
    const std::string begun = layout.volume(name) + "/filling";
    if (!sys::exists(begun) && !sys::is_empty_directory(folder)) return;
    sys::make_directory(layout.volume(name));
    const auto lock = sys::FileLock::acquire(layout.volume(name) + "/lock", std::chrono::minutes(10));
    if (!lock) throw make_error(ErrorKind::conflict, "volume {} is being filled by another command, which hangs", name);
    // Half a copy goes only where nobody can have written beside it: a folder of the engine's, for this one container.
    if (sys::exists(begun) && volume->driver_opts.empty() && store.volume_users(name).size() <= 1) empty_folder(folder);
    sys::remove_file(begun);
    if (!sys::is_empty_directory(folder)) return;  // somebody else has filled it meanwhile
    std::vector<std::string> lowers;
    for (auto layer = image.layers.rbegin(); layer != image.layers.rend(); ++layer)
        lowers.push_back(layout.layer(*layer));
    sys::write_file(begun, "");
    image::copy_up(lowers, target, folder);
    sys::remove_file(begun);
}

}  // namespace compose::engine
