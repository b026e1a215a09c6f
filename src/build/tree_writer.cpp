#include "build/tree_writer.hpp"

#include <algorithm>
#include <cerrno>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "build/paths.hpp"
#include "sys/clock.hpp"
#include "sys/copy_file.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/tree.hpp"

namespace compose::build {

namespace {

std::string inside(const std::string& path) {
    return path.empty() ? "." : path;
}

std::string below(const std::string& dir, const std::string& name) {
    if (name.empty()) return dir;
    return dir.empty() ? name : dir + "/" + name;
}

/// How many parts of the source stand before "/./".
std::size_t pivot_parts(const std::string& source) {
    const auto at = source.find("/./");
    if (at == std::string::npos) return 0;
    const auto before = clean_relative(source.substr(0, at));
    return before.empty() ? 0 : split(before, '/').size();
}

std::string drop_parts(const std::string& path, std::size_t count) {
    auto parts = split(path, '/');
    parts.erase(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(std::min(count, parts.size())));
    return join(parts, "/");
}

}  // namespace

Owner TreeWriter::owner_of(const sys::FileInfo& info, bool keep) const {
    if (options_.owner) return *options_.owner;
    return keep ? Owner{info.owner, info.group} : Owner{};
}

bool TreeWriter::is_directory(const std::string& path) const {
    return sys::find_directory_in_root(root_, inside(clean_relative(path)), sys::Missing::anything_else).has_value();
}

sys::FdRef TreeWriter::parent_of(const std::string& path) {
    const auto dir = std::string(parent_path(path));
    if (dir.empty()) return root_;
    if (have_parent_ && dir == parent_path_) return parent_;
    have_parent_ = false;
    auto found = sys::find_directory_in_root(root_, dir, sys::Missing::anything_else);
    parent_ = found ? std::move(*found) : make_parents(dir, options_.owner.value_or(Owner{}));
    parent_path_ = dir;
    have_parent_ = true;
    return parent_;
}

sys::Fd TreeWriter::make_parents(const std::string& path, Owner owner) {
    sys::Fd dir;
    for (std::size_t end = 0; end < path.size();) {
        end = std::min(path.find('/', end + 1), path.size());
        const auto prefix = path.substr(0, end);
        auto next = sys::find_directory_in_root(root_, prefix, sys::Missing::anything_else);
        if (!next) {
            const auto name = std::string(base_name(prefix));
            const sys::FdRef above = dir ? sys::FdRef(dir) : root_;
            if (!sys::create_directory_at(above, name, 0755))
                throw make_error(ErrorKind::invalid, "{} is there, and no directory", quote("/" + prefix));
            sys::set_mode_at(above, name, 0755);
            sys::set_owner_at(above, name, owner.user, owner.group);
            next = sys::find_directory_in_root(root_, prefix, sys::Missing::anything_else);
            if (!next) throw make_error("{} cannot be made", quote("/" + prefix));
        }
        dir = std::move(*next);
    }
    return dir;
}

void TreeWriter::make_directory(const std::string& path, Owner owner) {
    const auto clean = clean_relative(path);
    if (!clean.empty() && !is_directory(clean)) static_cast<void>(make_parents(clean, owner));
}

void TreeWriter::copy(const SourceTree& tree, const FoundSource& found, const std::string& source,
                      const std::string& target) {
    const auto info = tree.inspect(found.path);
    if (!info) throw make_error(ErrorKind::not_found, "{} is not there", quote(found.matched));
    const bool directory = info->kind == sys::FileKind::directory;
    auto base = clean_relative(target);
    if (options_.parents) {
        base = below(base, drop_parts(found.matched, pivot_parts(source)));
    } else if (!directory && (target.ends_with('/') || is_directory(base))) {
        base = below(base, std::string(base_name(found.matched)));
    }
    if (directory) make_directory(base, options_.owner.value_or(Owner{}));
    tree.walk(found.path, options_.excludes, [&](const SourceFile& file) {
        // What the source directory itself is like does not matter, only what is in it.
        if (directory && file.below.empty() && !options_.parents) return;
        in_context([&] { return "copy " + quote(file.path); },
                   [&] { put(file, below(base, file.below), tree.keep_owners()); });
    });
}

void TreeWriter::put(const SourceFile& file, const std::string& path, bool keep_owner) {
    if (path.empty()) return;
    const auto owner = owner_of(file.info, keep_owner);
    if (file.info.kind == sys::FileKind::directory) return put_directory(file, path, owner);
    const auto parent = parent_of(path);
    const auto name = std::string(base_name(path));
    if (file.info.links > 1 && file.info.kind == sys::FileKind::regular) {
        const auto [found, fresh] = linked_.emplace(file.info.inode, path);
        if (!fresh) {
            const auto from = sys::find_directory_in_root(root_, inside(std::string(parent_path(found->second))));
            clear(parent, path);
            if (from && sys::create_link_at(*from, std::string(base_name(found->second)), parent, name)) return;
        }
    }
    switch (file.info.kind) {
        case sys::FileKind::regular:
            return put_regular(file, parent, path, owner);
        case sys::FileKind::symlink: {
            const auto target = sys::read_link_at(file.dir, file.name);
            if (!sys::create_symlink_at(target, parent, name)) {
                clear(parent, path);
                if (!sys::create_symlink_at(target, parent, name)) throw Error("its name is taken");
            }
            break;
        }
        case sys::FileKind::fifo:
            clear(parent, path);
            if (!sys::create_fifo_at(parent, name)) throw Error("its name is taken");
            sys::set_mode_at(parent, name, options_.mode.apply(file.info.mode, false));
            break;
        default:
            return;
    }
    sys::set_owner_at(parent, name, owner.user, owner.group);
    sys::set_mtime_at(parent, name, file.info.mtime_s, file.info.mtime_ns);
}

void TreeWriter::put_directory(const SourceFile& file, const std::string& path, Owner owner) {
    const auto parent = parent_of(path);
    const auto name = std::string(base_name(path));
    const auto there = sys::inspect_at(parent, name);
    if (there && there->kind == sys::FileKind::symlink && is_directory(path)) return;  // it stays what it is
    if (there && there->kind != sys::FileKind::directory)
        throw make_error(ErrorKind::invalid, "{} is there, and no directory", quote("/" + path));
    if (!there && !sys::create_directory_at(parent, name, 0755)) throw Error("its name is taken");
    const auto dir = sys::open_directory_at(parent, name);
    if (!dir) throw Error("its name is taken");
    sys::set_owner(*dir, owner.user, owner.group);
    sys::set_mode(*dir, options_.mode.apply(file.info.mode, true));
    if (const auto from = sys::open_directory_at(file.dir, file.name)) sys::copy_file_xattrs(*from, *dir);
    times_.push_back({path, file.info.mtime_s, file.info.mtime_ns});
}

void TreeWriter::put_regular(const SourceFile& file, sys::FdRef parent, const std::string& path, Owner owner) {
    const auto from = sys::find_regular_file_in_root(file.dir, file.name);
    if (!from) throw Error("it is no regular file any more");
    const auto name = std::string(base_name(path));
    auto to = sys::create_file_at(parent, name);
    if (!to) {
        clear(parent, path);
        to = sys::create_file_at(parent, name);
        if (!to) throw Error("its name is taken");
    }
    sys::copy_file_data(*from, *to, file.info.size);
    // In this order: a change of owner clears setuid bits and capabilities.
    if (owner != Owner{}) sys::set_owner(*to, owner.user, owner.group);
    sys::set_mode(*to, options_.mode.apply(file.info.mode, false));
    sys::copy_file_xattrs(*from, *to);
    sys::set_mtime(*to, file.info.mtime_s, file.info.mtime_ns);
}

void TreeWriter::clear(sys::FdRef parent, const std::string& path) {
    const auto name = std::string(base_name(path));
    const auto there = sys::inspect_at(parent, name);
    if (!there) return;
    if (there->kind == sys::FileKind::directory)
        throw make_error(ErrorKind::invalid, "{} is a directory, which a file can't replace", quote("/" + path));
    sys::remove_tree_at(parent, name);
}

void TreeWriter::write(const InlineFile& file, const std::string& target) {
    auto path = clean_relative(target);
    if (target.ends_with('/') || is_directory(path)) path = below(path, file.name);
    if (path.empty()) throw Error("a file can't replace the root", ErrorKind::invalid);
    const auto parent = parent_of(path);
    const auto name = std::string(base_name(path));
    clear(parent, path);
    const auto to = sys::create_file_at(parent, name);
    if (!to) throw make_error("{} is taken", quote(path));
    sys::write_all(*to, file.content);
    const auto owner = options_.owner.value_or(Owner{});
    sys::set_owner(*to, owner.user, owner.group);
    sys::set_mode(*to, options_.mode.apply(0644, false));
}

void TreeWriter::finish() {
    for (auto item = times_.rbegin(); item != times_.rend(); ++item)
        if (const auto dir = sys::find_directory_in_root(root_, item->path, sys::Missing::anything_else_or_link))
            sys::set_mtime(*dir, item->seconds, item->nanoseconds);
    times_.clear();
}

}  // namespace compose::build
