#include <compose/copies.hpp>

#include "engine/copy_folder.hpp"
#include "engine/tree_size.hpp"
#include "store/store.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"

namespace compose {

namespace {

/// Everything that names a path: what containers were made from, and what volumes lie on.
class Uses {
public:
    explicit Uses(const store::Store& store) {
        for (const auto& container : store.containers("")) {
            texts_.push_back(container.config.spec);
            for (const auto& [key, value] : container.labels) texts_.push_back(value);
        }
        for (const auto& volume : store.volumes(""))
            for (const auto& [key, value] : volume.driver_opts) texts_.push_back(value);
    }
    [[nodiscard]] bool name(const std::string& folder) const {
        for (const auto& text : texts_)
            if (text.find(folder) != std::string::npos) return true;
        return false;
    }

private:
    std::vector<std::string> texts_;
};

}  // namespace

PrunedCopies prune_copies(const EngineOptions& options, std::chrono::seconds age) {
    const auto layout = store::Layout::from(options.state_dir, options.run_dir);
    PrunedCopies out;
    if (!sys::is_directory(layout.copies())) return out;
    layout.prepare();
    const store::Store store(layout);
    const Uses uses(store);
    for (const auto& kind : sys::list_directory(layout.copies())) {
        const auto parent = layout.copies() + "/" + kind;
        for (const auto& key : sys::list_directory(parent)) {
            const auto folder = parent + "/" + key;
            if (uses.name(key)) continue;
            const auto size = engine::tree_size(folder);
            if (!engine::remove_copy(parent, key, age)) continue;
            out.folders.push_back(folder);
            out.freed += size;
        }
    }
    return out;
}

}  // namespace compose
