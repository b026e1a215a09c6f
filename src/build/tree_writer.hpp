// Writes what COPY and ADD bring into the root of a stage: an overlay's merged view, or an empty folder. Every name is
// looked up with the root as "/", so that no link leads out of it; nothing is followed in the last part of a file's
// name, and what is there already is replaced.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "build/file_mode.hpp"
#include "build/source_tree.hpp"
#include "build/steps.hpp"
#include "sys/fd.hpp"

namespace compose::build {

struct WriteOptions {
    std::optional<Owner> owner;  // of everything; nothing: as the source has it
    ModeChange mode;
    bool parents = false;  // the source's folders too, counted from "/./" in it
    std::vector<std::string> excludes;
};

class TreeWriter {
public:
    TreeWriter(sys::FdRef root, WriteOptions options) : root_(root), options_(std::move(options)) {}

    /// `target` is absolute; with a slash at its end it is a directory. `source` is what a step says, for `--parents`.
    void copy(const SourceTree& tree, const FoundSource& found, const std::string& source, const std::string& target);
    /// 0644 unless the options say otherwise.
    void write(const InlineFile& file, const std::string& target);
    /// Makes the directory and those above it: 0755, of that owner. Nothing changes when it is there.
    void make_directory(const std::string& path, Owner owner);
    /// Whether the path is a directory, links followed.
    [[nodiscard]] bool is_directory(const std::string& path) const;
    /// Sets the times of directories, which changed while they were filled.
    void finish();

private:
    [[nodiscard]] Owner owner_of(const sys::FileInfo& info, bool keep) const;
    [[nodiscard]] sys::FdRef parent_of(const std::string& path);
    [[nodiscard]] sys::Fd make_parents(const std::string& path, Owner owner);
    void put(const SourceFile& file, const std::string& path, bool keep_owner);
    void put_directory(const SourceFile& file, const std::string& path, Owner owner);
    void put_regular(const SourceFile& file, sys::FdRef parent, const std::string& path, Owner owner);
    void clear(sys::FdRef parent, const std::string& path);

    struct Times {
        std::string path;
        std::int64_t seconds, nanoseconds;
    };
    sys::FdRef root_;
    WriteOptions options_;
    std::string parent_path_;
    sys::Fd parent_;
    bool have_parent_ = false;
    std::vector<Times> times_;
    std::map<std::uint64_t, std::string> linked_;  // inode -> where its copy is
};

}  // namespace compose::build
