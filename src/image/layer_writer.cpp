#include "image/layer_writer.hpp"

#include "base/error.hpp"
#include "base/strings.hpp"
#include "sys/dir.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"
#include "sys/tree.hpp"

namespace compose::image {

namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";
constexpr std::size_t kMaxWarnings = 32;
constexpr std::int64_t kSpaceReserve = std::int64_t{64} << 20U;
constexpr std::int64_t kSpaceInterval = std::int64_t{64} << 20U;

/// The path without "." and double slashes, relative. Names that try to climb are refused, not cleaned.
std::string clean_path(std::string_view name) {
    std::string out;
    out.reserve(name.size());
    while (!name.empty()) {
        const auto slash = std::min(name.find('/'), name.size());
        const auto part = name.substr(0, slash);
        name.remove_prefix(std::min(slash + 1, name.size()));
        if (part.empty() || part == ".") continue;
        if (part == "..") throw Error("a name with \"..\" may lead out of the layer", ErrorKind::invalid);
        if (!out.empty()) out += '/';
        out += part;
    }
    return out;
}

std::pair<std::string, std::string> split_path(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return {"", path};
    return {path.substr(0, slash), path.substr(slash + 1)};
}

/// overlayfs reads trusted.overlay.* (and user.overlay.*) of its layers as orders; from an archive they are an attack.
bool is_wanted_xattr(std::string_view name) {
    if (name == "security.capability" || name == "system.posix_acl_access" || name == "system.posix_acl_default")
        return true;
    return name.starts_with("user.") && !name.starts_with("user.overlay.");
}

}  // namespace

void LayerWriter::warn(std::string text) {
    if (warnings_.size() < kMaxWarnings)
        warnings_.push_back(std::move(text));
    else
        ++warnings_left_out_;
}

std::vector<std::string> LayerWriter::take_warnings() {
    if (!nodes_left_out_.empty())
        warnings_.push_back(fmt::format("device nodes were left out: {}", join(nodes_left_out_, ", ")));
    if (warnings_left_out_ > 0) warnings_.push_back(fmt::format("and {} more warnings", warnings_left_out_));
    return std::move(warnings_);
}

void LayerWriter::write(const TarEntry& entry, TarReader& reader) {
    in_context([&] { return "entry " + quote(std::string_view(entry.name).substr(0, 300)); },
               [&] {
                   if (entry.name.empty()) throw Error("it has no name", ErrorKind::invalid);
                   const auto at = place(entry);
                   if (!at) return write_root(entry);
                   if (at->name.starts_with(kWhiteout)) return write_whiteout(*at);
                   switch (entry.type) {
                       case TarType::regular:
                           return write_regular(entry, *at, reader);
                       case TarType::directory:
                           return write_directory(entry, *at);
                       case TarType::hard_link:
                           return write_link(entry, *at);
                       case TarType::symlink:
                           return write_symlink(entry, *at);
                       case TarType::fifo:
                           if (!sys::create_fifo_at(at->parent, at->name)) {
                               clear(*at);
                               if (!sys::create_fifo_at(at->parent, at->name)) throw Error("its name is taken");
                           }
                           sys::set_owner_at(at->parent, at->name, entry.owner, entry.group);
                           sys::set_mode_at(at->parent, at->name, entry.mode);
                           sys::set_mtime_at(at->parent, at->name, entry.mtime_s, entry.mtime_ns);
                           return;
                       case TarType::character:
                       case TarType::block:
                           return skip_node(entry, *at);
                       case TarType::unknown:
                           return warn(fmt::format("entry {} of unknown type {} was left out", quote(entry.name),
                                                   quote(std::string(1, entry.raw_type))));
                   }
               });
}

/// Nothing for the root itself.
std::optional<LayerWriter::Place> LayerWriter::place(const TarEntry& entry) {
    auto path = clean_path(entry.name);
    if (path.empty()) return std::nullopt;
    auto [dir, name] = split_path(path);
    if (name.size() > 255) throw Error("a part of its name is longer than 255 bytes", ErrorKind::invalid);
    return Place{.parent = parent(dir), .name = std::move(name), .path = std::move(path)};
}

sys::FdRef LayerWriter::parent(const std::string& path) {
    if (path.empty()) return root_;
    if (have_parent_ && path == parent_path_) return parent_;
    have_parent_ = false;
    auto found = sys::find_directory_in_root(root_, path);
    parent_ = found ? std::move(*found) : make_parents(path);
    parent_path_ = path;
    have_parent_ = true;
    return parent_;
}

/// Archives may leave out directories.
sys::Fd LayerWriter::make_parents(const std::string& path) {
    sys::Fd dir;
    for (std::size_t end = 0; end < path.size();) {
        end = std::min(path.find('/', end + 1), path.size());
        const auto prefix = path.substr(0, end);
        auto next = sys::find_directory_in_root(root_, prefix);
        if (!next) {
            const auto name = split_path(prefix).second;
            const sys::FdRef above = dir ? sys::FdRef(dir) : root_;
            if (!sys::create_directory_at(above, name, 0755))
                throw Error("its directory is a symbolic link to nothing", ErrorKind::invalid);
            sys::set_mode_at(above, name, 0755);
            next = sys::find_directory_in_root(root_, prefix);
            if (!next) throw Error("its directory cannot be made");
        }
        dir = std::move(*next);
    }
    return dir;
}

void LayerWriter::clear(const Place& at) {
    have_parent_ = false;
    // The descriptor of the parent stays valid: what is removed lies in it, not above it.
    sys::remove_tree_at(at.parent, at.name);
}

void LayerWriter::write_root(const TarEntry& entry) {
    if (entry.type != TarType::directory) throw Error("the root can only be a directory", ErrorKind::invalid);
    sys::set_owner(root_, entry.owner, entry.group);
    sys::set_mode(root_, entry.mode);
    set_xattrs(entry, [&](const auto& name, const auto& value) { return sys::set_xattr(root_, name, value); });
    directory_times_.push_back({"", entry.mtime_s, entry.mtime_ns});
}

void LayerWriter::write_regular(const TarEntry& entry, const Place& at, TarReader& reader) {
    auto file = sys::create_file_at(at.parent, at.name);
    if (!file) {
        clear(at);
        file = sys::create_file_at(at.parent, at.name);
        if (!file) throw Error("its name is taken");
    }
    write_data(entry, *file, reader);
    // In this order: a change of owner clears setuid bits and capabilities.
    if (entry.owner != 0 || entry.group != 0) sys::set_owner(*file, entry.owner, entry.group);
    sys::set_mode(*file, entry.mode);
    set_xattrs(entry, [&](const auto& name, const auto& value) { return sys::set_xattr(*file, name, value); });
    sys::set_mtime(*file, entry.mtime_s, entry.mtime_ns);
}

void LayerWriter::write_data(const TarEntry& entry, sys::FdRef file, TarReader& reader) {
    check_space(entry.sparse ? 0 : entry.size);
    const auto write_part = [&](std::int64_t size) {
        while (size > 0) {
            const auto bytes = reader.data().substr(0, static_cast<std::size_t>(std::min<std::int64_t>(size, 1 << 20)));
            if (bytes.empty()) throw Error("its data ends too early", ErrorKind::invalid);
            sys::write_all(file, bytes);
            reader.consume(bytes.size());
            size -= static_cast<std::int64_t>(bytes.size());
            size_ += static_cast<std::int64_t>(bytes.size());
            check_space(static_cast<std::int64_t>(bytes.size()));
        }
    };
    if (!entry.sparse) return write_part(entry.size);
    for (const auto& extent : entry.extents) {
        sys::seek(file, extent.offset);
        write_part(extent.size);
    }
    sys::set_length(file, entry.size);
}

/// An archive that unpacks to more than there is room for must not fill the file system first.
void LayerWriter::check_space(std::int64_t wanted) {
    unchecked_ += wanted;
    if (unchecked_ < kSpaceInterval && wanted < kSpaceInterval) return;
    unchecked_ = 0;
    const auto free = sys::free_space(root_);
    if (free < wanted || free - wanted < kSpaceReserve)
        throw sys::error_from(ENOSPC, fmt::format("write {} bytes", wanted)).with_hint("make room, or import less");
}

void LayerWriter::write_directory(const TarEntry& entry, const Place& at) {
    bool hides_lower = false;
    if (!sys::create_directory_at(at.parent, at.name, 0700)) {
        const auto there = sys::inspect_at(at.parent, at.name);
        if (!there || there->kind != sys::FileKind::directory) {
            // A whiteout of this layer and then a directory: what lies below stays hidden.
            hides_lower = there && there->kind == sys::FileKind::character;
            clear(at);
            if (!sys::create_directory_at(at.parent, at.name, 0700)) throw Error("its name is taken");
        }
    }
    const auto dir = sys::open_directory_at(at.parent, at.name);
    if (!dir) throw Error("its name is taken");
    sys::set_owner(*dir, entry.owner, entry.group);
    sys::set_mode(*dir, entry.mode);
    set_xattrs(entry, [&](const auto& name, const auto& value) { return sys::set_xattr(*dir, name, value); });
    if (hides_lower) mark_opaque(*dir, at.path);
    directory_times_.push_back({at.path, entry.mtime_s, entry.mtime_ns});
}

void LayerWriter::write_link(const TarEntry& entry, const Place& at) {
    const auto target = clean_path(entry.link);
    auto [dir, name] = split_path(target);
    if (name.empty()) throw Error("a hard link to the root", ErrorKind::invalid);
    const auto from = sys::find_directory_in_root(root_, dir.empty() ? "." : dir);
    const sys::FdRef source = from ? sys::FdRef(*from) : sys::FdRef();
    const auto there = from ? sys::inspect_at(source, name) : std::nullopt;
    if (!there)
        throw make_error(ErrorKind::invalid, "a hard link to {}, which is not in the archive before it",
                         quote(entry.link));
    if (there->kind == sys::FileKind::directory) throw Error("a hard link to a directory", ErrorKind::invalid);
    if (sys::create_link_at(source, name, at.parent, at.name)) return;
    const auto replaced = sys::inspect_at(at.parent, at.name);
    if (replaced && replaced->inode == there->inode) return;  // it is that file already
    clear(at);
    if (!sys::create_link_at(source, name, at.parent, at.name)) throw Error("its name is taken");
}

void LayerWriter::write_symlink(const TarEntry& entry, const Place& at) {
    if (entry.link.empty()) throw Error("a symbolic link to nothing", ErrorKind::invalid);
    if (!sys::create_symlink_at(entry.link, at.parent, at.name)) {
        clear(at);
        if (!sys::create_symlink_at(entry.link, at.parent, at.name)) throw Error("its name is taken");
    }
    if (entry.owner != 0 || entry.group != 0) sys::set_owner_at(at.parent, at.name, entry.owner, entry.group);
    sys::set_mtime_at(at.parent, at.name, entry.mtime_s, entry.mtime_ns);
}

// The archive says ".wh.x" where overlayfs has a character device 0:0 named x.
void LayerWriter::write_whiteout(const Place& at) {
    if (at.name == kOpaque) {
        if (lowest_) return;
        const auto dir = split_path(at.path).first;
        const auto opened = sys::find_directory_in_root(root_, dir.empty() ? "." : dir);
        if (!opened) throw Error("its directory is gone");
        return mark_opaque(*opened, dir);
    }
    const auto name = at.name.substr(kWhiteout.size());
    if (name.starts_with(kWhiteout)) return;  // bookkeeping of aufs, such as .wh..wh.plnk
    if (name.empty() || name == "." || name == "..") throw Error("it removes no name", ErrorKind::invalid);
    if (lowest_) return;
    if (sys::create_whiteout_at(at.parent, name)) return;
    // The name is in this layer too, which has the last word; a directory must not show what lies below.
    if (const auto dir = sys::open_directory_at(at.parent, name)) mark_opaque(*dir, at.path);
}

void LayerWriter::mark_opaque(sys::FdRef dir, const std::string& path) {
    const int code = sys::set_xattr(dir, "trusted.overlay.opaque", "y");
    if (code != 0) throw sys::error_from(code, "mark " + quote(path) + " as replacing what lies below");
}

// Containers get a /dev of their own; a node elsewhere would be a way around the rules for devices, and 0:0 an order to
// overlayfs.
void LayerWriter::skip_node(const TarEntry& entry, const Place& at) {
    if (at.path.starts_with("dev/")) return;
    constexpr std::size_t kNamed = 5;
    if (nodes_left_out_.size() < kNamed)
        nodes_left_out_.push_back(fmt::format("{} ({} {}:{})", quote(at.path),
                                              entry.type == TarType::block ? "block" : "character", entry.major,
                                              entry.minor));
    else if (nodes_left_out_.size() == kNamed)
        nodes_left_out_.emplace_back("and more");
}

void LayerWriter::set_xattrs(const TarEntry& entry,
                             const std::function<int(const std::string&, const std::string&)>& set) {
    for (const auto& [name, value] : entry.xattrs) {
        if (!is_wanted_xattr(name)) {
            if (name.starts_with("trusted.overlay.") || name.starts_with("user.overlay."))
                warn(fmt::format("attribute {} of {} was left out: it would steer the overlay", quote(name),
                                 quote(entry.name)));
            continue;
        }
        if (const int code = set(name, value); code != 0)
            warn(fmt::format("attribute {} of {} was left out: {}", quote(std::string_view(name).substr(0, 100)),
                             quote(entry.name), sys::errno_text(code)));
    }
}

void LayerWriter::finish() {
    for (const auto& [path, seconds, nanoseconds] : directory_times_) {
        if (path.empty()) {
            sys::set_mtime(root_, seconds, nanoseconds);
            continue;
        }
        // A later entry may have replaced the directory or put a link above it: the path as it is now, or not at all.
        if (const auto dir = sys::find_directory_in_root(root_, path, sys::Missing::anything_else_or_link))
            sys::set_mtime(*dir, seconds, nanoseconds);
    }
    directory_times_.clear();
}

}  // namespace compose::image
