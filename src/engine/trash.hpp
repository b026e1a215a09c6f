// Folders of removed containers. A folder is moved away at once and emptied when nothing more urgent is to do: freeing
// a file's blocks can take longer than ending its process. What a killed command leaves, the next one removes.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "store/layout.hpp"

namespace compose::engine {

/// Thread-safe.
class Trash {
public:
    explicit Trash(const store::Layout& layout) : folder_(layout.trash()), volumes_(layout.volumes()) {}

    /// Nothing when the folder is not there.
    void take(const std::string& folder);
    /// Removes one that was taken; false when there is none. Throws what its removal throws, unless it is a leftover:
    /// nobody's command fails since an earlier one left what can't be removed.
    bool empty_one();
    [[nodiscard]] bool empty() const;
    /// Takes what others left behind, of containers and of volumes.
    void take_leftovers();
    /// Those too.
    void empty_all();

private:
    void take_leftovers_in(const std::string& folder, std::string_view prefix);

    const std::string folder_, volumes_;
    mutable std::mutex mutex_;
    struct Item {
        std::string path;
        bool leftover = false;
    };
    std::vector<Item> taken_;
};

}  // namespace compose::engine
