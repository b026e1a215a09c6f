// A folder from which steps copy: the build context without what .dockerignore hides, or the root of a stage. Looked at
// only where a step asks; nothing outside the folder is ever seen, whatever its links say.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "build/dockerignore.hpp"
#include "build/file_digests.hpp"
#include "sys/fd.hpp"
#include "sys/tree.hpp"

namespace compose::build {

struct SourceFile {
    std::string path;   // from the top of the tree; empty for the top itself
    std::string below;  // from where the walk began; empty for that itself
    sys::FdRef dir;     // in which it lies, and
    std::string name;   // how it is called there; "." for the top of the tree
    sys::FileInfo info;
};

/// The path with its links resolved inside the root, as far as it is there; the rest as it stands. Relative.
[[nodiscard]] std::string resolve_leniently(sys::FdRef root, const std::string& path);

struct FoundSource {
    std::string path;     // resolved
    std::string matched;  // as it is called
};

class SourceTree {
public:
    /// `keep_owners`: files belong to whom they belong (a stage's), not to root (a context's).
    SourceTree(sys::Fd root, DockerIgnore ignore, FileDigests& digests, bool keep_owners);

    /// What the source means, sorted: itself when it is there, all that match when it has
    /// wildcards. Throws Error(not_found) for one without wildcards that is not there.
    [[nodiscard]] std::vector<FoundSource> find(const std::string& source) const;
    /// Every file at and below `path`, directories before what is in them, sorted; without hidden ones and those that
    /// match a pattern of `excludes` (relative to `path`). Links are not followed. Sockets and devices are left out.
    void walk(const std::string& path, const std::vector<std::string>& excludes,
              const std::function<void(const SourceFile&)>& visit) const;
    /// Of names, kinds, modes, owners, links and content at and below `path`: not of times.
    [[nodiscard]] std::string digest(const std::string& path, const std::vector<std::string>& excludes) const;
    /// Nothing when it is not there (any more).
    [[nodiscard]] std::optional<sys::FileInfo> inspect(const std::string& path) const;
    [[nodiscard]] sys::FdRef root() const { return root_; }
    [[nodiscard]] bool keep_owners() const { return keep_owners_; }
    [[nodiscard]] const DockerIgnore& ignore() const { return ignore_; }

private:
    void match(const std::string& dir, const std::vector<std::string>& parts, std::size_t at,
               std::vector<FoundSource>& out) const;

    sys::Fd root_;
    DockerIgnore ignore_;
    FileDigests& digests_;
    bool keep_owners_;
};

}  // namespace compose::build
