#include "engine/run_folder.hpp"

#include "sys/dir.hpp"
#include "sys/file.hpp"

namespace compose::engine {

void remove_run_folder(store::Store& store, const std::string& project) {
    constexpr std::chrono::seconds kKeeperLeaves{5};
    const store::Layout& layout = store.layout();
    if (!store.containers_without_spec(project).empty()) return;
    // The keeper leaves by itself once its last container is gone.
    const auto alone = sys::FileLock::acquire(layout.keeper_lock(project), kKeeperLeaves);
    if (alone) sys::remove_tree(layout.project_run(project));
}

}  // namespace compose::engine
