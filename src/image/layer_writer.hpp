// Writes tar entries into an empty directory as one layer of an overlay. Names are looked up inside the directory as if
// it were the root, links never lead out of it, and what is there already is replaced, not followed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "image/tar.hpp"
#include "sys/fd.hpp"

namespace compose::image {

class LayerWriter {
public:
    /// `lowest`: nothing lies below, so that marks of removed names mean nothing and are left out.
    LayerWriter(sys::FdRef root, bool lowest) : root_(root), lowest_(lowest) {}

    /// Writes one entry; takes its data from `reader`.
    void write(const TarEntry& entry, TarReader& reader);
    /// Sets the times of directories, which changed while their content was written.
    void finish();
    [[nodiscard]] std::int64_t size() const { return size_; }
    [[nodiscard]] std::vector<std::string> take_warnings();

private:
    struct Place {
        sys::FdRef parent;
        std::string name;
        std::string path;
    };
    [[nodiscard]] std::optional<Place> place(const TarEntry& entry);
    [[nodiscard]] sys::FdRef parent(const std::string& path);
    [[nodiscard]] sys::Fd make_parents(const std::string& path);
    void write_root(const TarEntry& entry);
    void write_regular(const TarEntry& entry, const Place& at, TarReader& reader);
    void write_data(const TarEntry& entry, sys::FdRef file, TarReader& reader);
    void write_directory(const TarEntry& entry, const Place& at);
    void write_link(const TarEntry& entry, const Place& at);
    void write_symlink(const TarEntry& entry, const Place& at);
    void write_whiteout(const Place& at);
    void skip_node(const TarEntry& entry, const Place& at);
    void set_xattrs(const TarEntry& entry, const std::function<int(const std::string&, const std::string&)>& set);
    void mark_opaque(sys::FdRef dir, const std::string& path);
    /// Removes what has the name, so that it can be made anew.
    void clear(const Place& at);
    void check_space(std::int64_t wanted);
    void warn(std::string text);

    struct DirectoryTime {
        std::string path;
        std::int64_t seconds;
        std::int64_t nanoseconds;
    };

    sys::FdRef root_;
    bool lowest_;
    std::string parent_path_;  // of the entry before: neighbours usually share it
    sys::Fd parent_;
    bool have_parent_ = false;
    std::vector<DirectoryTime> directory_times_;
    std::vector<std::string> warnings_;
    std::size_t warnings_left_out_ = 0;
    std::int64_t size_ = 0;
    std::int64_t unchecked_ = 0;  // bytes written since the free space was looked at
    std::vector<std::string> nodes_left_out_;
};

}  // namespace compose::image
