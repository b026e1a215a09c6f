// Files and trees inside a root as tar streams, both ways: what `cp` and `export` move. Names are looked up as if the
// root were "/": no link leads out of it, also while somebody moves things about inside.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "image/byte_sink.hpp"
#include "sys/fd.hpp"

namespace compose::image {

struct PackOptions {
    std::string name;           // of the first entry; empty: the last component of the path
    bool hard_links = false;    // the tree is of one file system: files with several names are kept so
    bool content_only = false;  // of a directory: its entries, under names that begin with `name`, if given
};
/// `path` itself is not followed when it is a link.
void pack_tree(sys::FdRef root, const std::string& path, ByteSink& out, const PackOptions& options);

/// Single entries below `base`, under their names; directories without what is in them, what is gone left out.
void pack_paths(sys::FdRef base, const std::vector<std::string>& names, ByteSink& out);

struct UnpackOptions {
    bool keep_owner = false;  // else everything belongs to `owner`
    std::uint32_t owner = 0, group = 0;
    bool drop_set_id = false;            // set-user-id and set-group-id bits are left out
    std::string rename_from, rename_to;  // the first component of names
    bool replace_kinds = false;          // a directory where something else is, or the other way round, takes its place
};
/// Reads a tar (plain, gzip or zstd) from `tar` and makes its entries below the directory `path`. Files are replaced;
/// a directory is not replaced by something else, nor the other way round, unless `replace_kinds` says so.
void unpack_tree(sys::FdRef tar, sys::FdRef root, const std::string& path, const UnpackOptions& options);

/// One regular file without a stream between the two: the kernel moves its bytes. False, with nothing changed, when it
/// is no regular file or what is there can't be replaced by one: then it has to go through a tar.
[[nodiscard]] bool copy_regular_file(sys::FdRef from, const std::string& path, sys::FdRef to,
                                     const std::string& directory, const std::string& name,
                                     const UnpackOptions& options);

/// A sink that writes to a descriptor.
class FdSink final : public ByteSink {
public:
    explicit FdSink(sys::FdRef fd) : fd_(fd) {}
    ~FdSink() override = default;
    void write(std::string_view bytes) override;
    void flush();

private:
    sys::FdRef fd_;
    std::string pending_;
};

}  // namespace compose::image
