#include "engine/tree_size.hpp"

#include <set>
#include <vector>

#include "base/error.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/tree.hpp"

namespace compose::engine {
namespace {

// Each level holds a descriptor open; nobody nests folders deeper in earnest.
constexpr std::size_t kMaxDepth = 400;

class Counter {
public:
    void count(sys::FdRef folder, std::size_t depth) {
        for (const std::string& name : sys::list_directory(folder)) {
            const auto info = sys::inspect_at(folder, name);
            if (!info) continue;
            if (info->kind == sys::FileKind::regular && (info->links < 2 || seen_.insert(info->inode).second))
                total_ += info->size;
            if (info->kind != sys::FileKind::directory || depth >= kMaxDepth) continue;
            if (const auto inner = sys::open_directory_at(folder, name)) count(*inner, depth + 1);
        }
    }
    [[nodiscard]] std::int64_t total() const { return total_; }

private:
    std::set<std::uint64_t> seen_;
    std::int64_t total_ = 0;
};

}  // namespace

std::int64_t tree_size(const std::string& folder) {
    if (!sys::is_directory(folder)) return 0;
    Counter counter;
    counter.count(sys::open_directory(folder), 0);
    return counter.total();
}

}  // namespace compose::engine
