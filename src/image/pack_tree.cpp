#include <algorithm>
#include <map>
#include <vector>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "image/tar_writer.hpp"
#include "image/tree_entry.hpp"
#include "image/tree_tar.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/poll.hpp"
#include "sys/tree.hpp"
#include "sys/xattr.hpp"

namespace compose::image {

namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10U;

TarEntry entry_of(const sys::FileInfo& info, std::string name) {
    TarEntry entry;
    entry.name = std::move(name);
    entry.mode = info.mode;
    entry.owner = info.owner;
    entry.group = info.group;
    entry.mtime_s = info.mtime_s;
    entry.mtime_ns = info.mtime_ns;
    return entry;
}

class Packer {
public:
    Packer(ByteSink& out, const PackOptions& options) : tar_(out), options_(options), buffer_(kPiece, '\0') {}

    void run(sys::FdRef root, const std::string& path) {
        const auto [parent, name] = split_tree_path(path);
        const bool whole = name.empty() || name == "." || name == "..";
        const auto info = whole ? std::nullopt : look(root, parent, name, path);
        const auto shown = options_.name.empty() ? (whole ? "." : name) : options_.name;
        if (whole || (options_.content_only && info->kind == sys::FileKind::directory)) {
            const auto dir = sys::find_directory_in_root(root, path, sys::Missing::anything_else);
            if (!dir) throw make_error(ErrorKind::not_found, "could not find {}", quote(path));
            if (!options_.content_only) {
                auto entry = entry_of(sys::inspect(*dir), shown + "/");
                entry.type = TarType::directory;
                tar_.add(entry);
            }
            add_entries(*dir, options_.content_only ? options_.name : shown + "/");
        } else {
            const auto above = sys::find_directory_in_root(root, parent, sys::Missing::anything_else);
            if (!above) throw make_error(ErrorKind::not_found, "could not find {}", quote(path));
            add(*above, name, shown, *info);
        }
        tar_.finish();
    }

    void run(sys::FdRef base, const std::vector<std::string>& names) {
        for (const auto& path : names) {
            const auto [parent, name] = split_tree_path(path);
            const auto dir = sys::find_directory_in_root(base, parent, sys::Missing::anything_else);
            const auto info = dir ? sys::inspect_at(*dir, name) : std::nullopt;
            if (!info) continue;
            if (info->kind == sys::FileKind::directory) {
                auto entry = entry_of(*info, path);
                entry.type = TarType::directory;
                tar_.add(entry);
            } else {
                add(*dir, name, path, *info);
            }
        }
        tar_.finish();
    }

private:
    static std::optional<sys::FileInfo> look(sys::FdRef root, const std::string& parent, const std::string& name,
                                             const std::string& path) {
        const auto above = sys::find_directory_in_root(root, parent, sys::Missing::anything_else);
        auto info = above ? sys::inspect_at(*above, name) : std::nullopt;
        if (!info) throw make_error(ErrorKind::not_found, "could not find {}", quote(path));
        return info;
    }

    void add_entries(sys::FdRef dir, const std::string& prefix) {
        for (const auto& name : sys::list_directory(dir))
            if (const auto info = sys::inspect_at(dir, name)) add(dir, name, prefix + name, *info);
    }

    void add(sys::FdRef dir, const std::string& name, const std::string& shown, const sys::FileInfo& info) {
        auto entry = entry_of(info, shown);
        if (options_.hard_links && info.links > 1 && info.kind == sys::FileKind::regular) {
            const auto [found, fresh] = linked_.emplace(info.inode, shown);
            if (!fresh) {
                entry.type = TarType::hard_link;
                entry.link = found->second;
                return tar_.add(entry);
            }
        }
        switch (info.kind) {
            case sys::FileKind::directory: {
                const auto opened = sys::open_directory_at(dir, name);
                if (!opened) return;  // it was exchanged
                entry.type = TarType::directory;
                entry.xattrs = xattrs_of(*opened);
                tar_.add(entry);
                return add_entries(*opened, shown + "/");
            }
            case sys::FileKind::regular:
                return add_regular(dir, name, std::move(entry));
            case sys::FileKind::symlink:
                entry.type = TarType::symlink;
                entry.link = sys::read_link_at(dir, name);
                return tar_.add(entry);
            case sys::FileKind::fifo:
                entry.type = TarType::fifo;
                return tar_.add(entry);
            case sys::FileKind::character:
            case sys::FileKind::block:
            case sys::FileKind::socket:
                return;  // they mean nothing elsewhere
        }
    }

    void add_regular(sys::FdRef dir, const std::string& name, TarEntry entry) {
        const auto file = sys::find_regular_file_in_root(dir, name);
        if (!file) return;
        entry.type = TarType::regular;
        entry.size = sys::inspect(*file).size;
        entry.xattrs = xattrs_of(*file);
        tar_.add(entry);
        auto left = entry.size;
        while (left > 0) {
            const auto wanted = std::min<std::int64_t>(left, static_cast<std::int64_t>(buffer_.size()));
            const auto got = sys::read_some(*file, std::span(buffer_.data(), static_cast<std::size_t>(wanted)));
            if (!got || *got == 0) {
                // Somebody made it shorter meanwhile: its size was promised, so the rest is zeros, as tar does it.
                std::fill(buffer_.begin(), buffer_.end(), '\0');
                tar_.data({buffer_.data(), static_cast<std::size_t>(wanted)});
                left -= wanted;
                continue;
            }
            tar_.data({buffer_.data(), *got});
            left -= static_cast<std::int64_t>(*got);
        }
    }

    static std::map<std::string, std::string> xattrs_of(sys::FdRef fd) {
        auto out = sys::read_xattrs(fd);
        std::erase_if(out, [](const auto& item) { return !is_kept_xattr(item.first); });
        return out;
    }

    TarWriter tar_;
    PackOptions options_;
    std::string buffer_;
    std::map<std::uint64_t, std::string> linked_;
};

}  // namespace

void FdSink::write(std::string_view bytes) {
    if (pending_.size() + bytes.size() > kPiece) flush();
    if (bytes.size() >= kPiece)
        sys::write_all(fd_, bytes);
    else
        pending_ += bytes;
}

void FdSink::flush() {
    if (!pending_.empty()) sys::write_all(fd_, pending_);
    pending_.clear();
}

void pack_tree(sys::FdRef root, const std::string& path, ByteSink& out, const PackOptions& options) {
    Packer(out, options).run(root, path);
}

void pack_paths(sys::FdRef base, const std::vector<std::string>& names, ByteSink& out) {
    Packer(out, {}).run(base, names);
}

}  // namespace compose::image
