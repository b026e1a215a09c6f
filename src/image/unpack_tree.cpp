#include <cerrno>
#include <vector>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "image/hashing_pipe.hpp"
#include "image/tar.hpp"
#include "image/tree_entry.hpp"
#include "image/tree_tar.hpp"
#include "sys/clock.hpp"
#include "sys/copy_file.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/tree.hpp"
#include "sys/xattr.hpp"

namespace compose::image {

namespace {

class Unpacker {
public:
    Unpacker(sys::FdRef root, std::string path, const UnpackOptions& options)
        : root_(root), path_(std::move(path)), options_(options) {}

    void write(const TarEntry& entry, TarReader& reader) {
        const auto name = clean(entry.name);
        if (name.empty()) return;  // the directory itself
        const auto slash = name.rfind('/');
        const auto parent = slash == std::string::npos ? std::string() : name.substr(0, slash);
        const auto last = slash == std::string::npos ? name : name.substr(slash + 1);
        const auto dir = open_parent(parent);
        in_context([&] { return quote(name); }, [&] { make(entry, dir, last, reader); });
        if (entry.type == TarType::directory) times_.emplace_back(name, std::pair(entry.mtime_s, entry.mtime_ns));
    }

    /// Their content has changed them.
    void finish() {
        for (auto at = times_.rbegin(); at != times_.rend(); ++at)
            if (const auto dir =
                    sys::find_directory_in_root(root_, path_ + "/" + at->first, sys::Missing::anything_else_or_link))
                sys::set_mtime(*dir, at->second.first, at->second.second);
    }

private:
    [[nodiscard]] std::string clean(const std::string& name) const {
        std::vector<std::string> parts;
        for (const auto& part : split(name, '/')) {
            if (part.empty() || part == ".") continue;
            if (part == "..")
                throw make_error(ErrorKind::invalid, "the archive has a name with \"..\": {}", quote(name));
            parts.push_back(part);
        }
        if (!parts.empty() && !options_.rename_from.empty() && parts[0] == options_.rename_from)
            parts[0] = options_.rename_to;
        return join(parts, "/");
    }

    sys::Fd open_parent(const std::string& parent) {
        const auto path = path_ + "/" + parent;
        const auto missing = options_.replace_kinds ? sys::Missing::anything_else : sys::Missing::not_there;
        if (auto dir = sys::find_directory_in_root(root_, path, missing)) return std::move(*dir);
        if (parent.empty()) throw make_error(ErrorKind::not_found, "no such directory: {}", quote(path_));
        const auto slash = parent.rfind('/');
        const auto above = open_parent(slash == std::string::npos ? std::string() : parent.substr(0, slash));
        const auto name = slash == std::string::npos ? parent : parent.substr(slash + 1);
        const auto there = options_.replace_kinds ? sys::inspect_at(above, name) : std::nullopt;
        if (there && there->kind != sys::FileKind::directory) sys::remove_tree_at(above, name);
        sys::create_directory_at(above, name, 0755);
        auto made = sys::open_directory_at(above, name);
        if (!made) throw make_error("{} is no directory", quote(path));
        sys::set_owner(*made, options_.owner, options_.group);
        return std::move(*made);
    }

    void make(const TarEntry& entry, sys::FdRef dir, const std::string& name, TarReader& reader) {
        auto there = sys::inspect_at(dir, name);
        bool is_directory = there && there->kind == sys::FileKind::directory;
        if (options_.replace_kinds && there && is_directory != (entry.type == TarType::directory)) {
            sys::remove_tree_at(dir, name);
            there.reset();
            is_directory = false;
        }
        if (entry.type == TarType::directory) {
            if (there && !is_directory) throw make_error("cannot overwrite non-directory with directory");
            return make_directory(entry, dir, name);
        }
        if (is_directory) throw make_error("cannot overwrite directory with non-directory");
        switch (entry.type) {
            case TarType::regular:
                return make_file(entry, dir, name, there.has_value(), reader);
            case TarType::symlink:
                if (there) sys::remove_tree_at(dir, name);
                (void)sys::create_symlink_at(entry.link, dir, name);
                return set_owner_of(entry, dir, name);
            case TarType::hard_link:
                return make_link(entry, dir, name, there.has_value());
            case TarType::fifo:
                if (there) sys::remove_tree_at(dir, name);
                (void)sys::create_fifo_at(dir, name);
                set_owner_of(entry, dir, name);
                return sys::set_mode_at(dir, name, entry.mode);
            default:
                return;  // devices are the host's
        }
    }

    void make_directory(const TarEntry& entry, sys::FdRef dir, const std::string& name) {
        sys::create_directory_at(dir, name, 0700);
        const auto made = sys::open_directory_at(dir, name);
        if (!made) throw make_error("cannot overwrite non-directory with directory");
        own(*made, entry);
        sys::set_mode(*made, mode_of(entry));
    }

    void make_file(const TarEntry& entry, sys::FdRef dir, const std::string& name, bool there, TarReader& reader) {
        if (there) {
            try {
                sys::remove_tree_at(dir, name);
            } catch (const Error& error) {
                // A file that is mounted there: its content can be changed, it can't be replaced.
                if (error.code() != EBUSY) throw;
                const auto mounted = sys::open_mounted_file_at(dir, name);
                sys::set_length(mounted, 0);
                return write_data(entry, mounted, reader);
            }
        }
        const auto file = sys::create_file_at(dir, name);
        if (!file) throw make_error("somebody makes it at the same time");
        write_data(entry, *file, reader);
        own(*file, entry);
        sys::set_mode(*file, mode_of(entry));
        for (const auto& [key, value] : entry.xattrs)
            if (is_kept_xattr(key) && !(options_.drop_set_id && key == "security.capability"))
                (void)sys::set_xattr(*file, key, value);
        sys::set_mtime(*file, entry.mtime_s, entry.mtime_ns);
    }

    static void write_data(const TarEntry& entry, sys::FdRef file, TarReader& reader) {
        std::size_t extent = 0;
        std::int64_t done = 0;  // of the extent
        for (;;) {
            auto bytes = reader.data();
            if (bytes.empty()) break;
            if (entry.sparse) {
                while (extent < entry.extents.size() && done == entry.extents[extent].size) ++extent, done = 0;
                if (extent == entry.extents.size()) break;
                if (done == 0) sys::seek(file, entry.extents[extent].offset);
                bytes =
                    bytes.substr(0, static_cast<std::size_t>(std::min<std::int64_t>(
                                        static_cast<std::int64_t>(bytes.size()), entry.extents[extent].size - done)));
            }
            sys::write_all(file, bytes);
            done += static_cast<std::int64_t>(bytes.size());
            reader.consume(bytes.size());
        }
        if (entry.sparse) sys::set_length(file, entry.size);
    }

    void make_link(const TarEntry& entry, sys::FdRef dir, const std::string& name, bool there) {
        const auto target = clean(entry.link);
        const auto slash = target.rfind('/');
        const auto from = sys::find_directory_in_root(
            root_, path_ + "/" + (slash == std::string::npos ? "" : target.substr(0, slash)),
            sys::Missing::anything_else);
        if (!from) throw make_error(ErrorKind::invalid, "it is a link to {}, which is not there", quote(entry.link));
        const auto last = slash == std::string::npos ? target : target.substr(slash + 1);
        const auto info = sys::inspect_at(*from, last);
        if (!info || info->kind != sys::FileKind::regular)
            throw make_error(ErrorKind::invalid, "it is a link to {}, which is no file", quote(entry.link));
        if (there) sys::remove_tree_at(dir, name);
        (void)sys::create_link_at(*from, last, dir, name);
    }

    [[nodiscard]] unsigned mode_of(const TarEntry& entry) const {
        return options_.drop_set_id ? entry.mode & 01777U : entry.mode;
    }
    void own(sys::FdRef fd, const TarEntry& entry) const {
        sys::set_owner(fd, options_.keep_owner ? entry.owner : options_.owner,
                       options_.keep_owner ? entry.group : options_.group);
    }
    void set_owner_of(const TarEntry& entry, sys::FdRef dir, const std::string& name) const {
        sys::set_owner_at(dir, name, options_.keep_owner ? entry.owner : options_.owner,
                          options_.keep_owner ? entry.group : options_.group);
    }

    sys::FdRef root_;
    std::string path_;
    UnpackOptions options_;
    std::vector<std::pair<std::string, std::pair<std::int64_t, std::int64_t>>> times_;
};

}  // namespace

void unpack_tree(sys::FdRef tar, sys::FdRef root, const std::string& path, const UnpackOptions& options) {
    HashingPipe bytes(tar);
    TarReader reader(bytes);
    Unpacker unpacker(root, path, options);
    TarEntry entry;
    while (reader.next(entry)) unpacker.write(entry, reader);
    unpacker.finish();
}

bool copy_regular_file(sys::FdRef from, const std::string& path, sys::FdRef to, const std::string& directory,
                       const std::string& name, const UnpackOptions& options) {
    const auto source = split_tree_path(path);
    const auto source_dir = sys::find_directory_in_root(from, source.parent, sys::Missing::anything_else);
    const auto target_dir = sys::find_directory_in_root(to, directory, sys::Missing::anything_else);
    if (!source_dir || !target_dir || name.empty()) return false;
    const auto named = sys::inspect_at(*source_dir, source.name);
    if (!named || named->kind != sys::FileKind::regular) return false;
    const auto file = sys::find_regular_file_in_root(*source_dir, source.name);
    if (!file) return false;
    const auto there = sys::inspect_at(*target_dir, name);
    if (there && there->kind != sys::FileKind::regular) return false;
    const auto info = sys::inspect(*file);
    // Beside the name it is to have, so that a failure leaves what was there.
    const auto passing = ".compose-cp-" + sys::random_id().substr(0, 16);
    const auto copy = sys::create_file_at(*target_dir, passing);
    if (!copy) throw make_error("{} is there already", quote(passing));
    try {
        sys::copy_file_data(*file, *copy, info.size);
        sys::set_owner(*copy, options.keep_owner ? info.owner : options.owner,
                       options.keep_owner ? info.group : options.group);
        sys::set_mode(*copy, options.drop_set_id ? info.mode & 01777U : info.mode);
        for (const auto& [key, value] : sys::read_xattrs(*file))
            if (is_kept_xattr(key) && !(options.drop_set_id && key == "security.capability"))
                (void)sys::set_xattr(*copy, key, value);
        sys::set_mtime(*copy, info.mtime_s, info.mtime_ns);
        sys::rename_at(*target_dir, passing, *target_dir, name);
    } catch (const Error& error) {
        sys::remove_tree_at(*target_dir, passing);
        // A file that is mounted there can't be replaced, but its content can.
        if (error.code() != EBUSY) throw;
        return false;
    }
    return true;
}

}  // namespace compose::image
