#include "engine/folder_digest.hpp"

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "build/file_digests.hpp"
#include "sys/dir.hpp"
#include "sys/tree.hpp"

namespace compose::engine {
namespace {

constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxEntries = 20'000;
constexpr std::int64_t kMaxRead = std::int64_t{64} << 20U;

class FolderDigest {
public:
    void add(sys::FdRef folder, const std::string& path, int depth) {
        if (depth > kMaxDepth) return;
        for (const std::string& name : sys::list_directory(folder)) {
            if (++entries_ > kMaxEntries) return;
            const auto info = sys::inspect_at(folder, name);
            if (!info) continue;
            std::string full = path;
            full.append("/").append(name);
            // The name is closed by a byte that no name has, so that two trees never read the same.
            const std::string line =
                fmt::format("{:o} {:o} {}", static_cast<int>(info->kind), info->mode, content_of(folder, name, *info));
            hash_.update(full.c_str(), full.size() + 1);
            hash_.update(line.c_str(), line.size() + 1);
            if (info->kind != sys::FileKind::directory) continue;
            if (const auto inner = sys::open_directory_at(folder, name)) add(*inner, full, depth + 1);
        }
    }
    [[nodiscard]] std::string hex() { return hash_.hex(); }

private:
    std::string content_of(sys::FdRef folder, const std::string& name, const sys::FileInfo& info) {
        try {
            if (info.kind == sys::FileKind::symlink) return sys::read_link_at(folder, name);
            // The kernel's own files say 0, and may never end.
            if (info.kind != sys::FileKind::regular || info.size == 0) return {};
            if (info.size > left_) return fmt::format("{} {} {}", info.size, info.mtime_s, info.mtime_ns);
            left_ -= info.size;
            return build::hash_file(folder, name);
        } catch (const Error& error) {
            log::debug("{} changed while it was read: {}", name, error.what());
            return "unread";
        }
    }

    Sha256 hash_;
    std::size_t entries_ = 0;
    std::int64_t left_ = kMaxRead;
};

}  // namespace

std::string folder_digest(const std::string& folder) {
    FolderDigest digest;
    digest.add(sys::open_directory(folder), "", 0);
    return digest.hex();
}

}  // namespace compose::engine
