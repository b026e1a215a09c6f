#include "image/layer_diff.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "image/chain_id.hpp"
#include "image/tar_writer.hpp"
#include "sys/dir.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"
#include "sys/poll.hpp"
#include "sys/tree.hpp"
#include "sys/xattr.hpp"

namespace compose::image {

namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10U;

/// What belongs to a file's content, in every image: not the host's own labels, not overlayfs's notes.
bool is_layer_xattr(std::string_view name) {
    if (name == "security.capability" || name == "system.posix_acl_access" || name == "system.posix_acl_default")
        return true;
    return name.starts_with("user.") && !name.starts_with("user.overlay.");
}

// Directories are opened by their path from the top, one at a time: the depth of a tree costs no descriptors.
class LayerTar {
public:
    LayerTar(sys::FdRef top, ByteSink& out, const LayerTarOptions& options)
        : top_(top), tar_(out), options_(options), buffer_(kPiece, '\0') {}

    std::int64_t run() {
        add_root();
        add_entries("");
        tar_.finish();
        return size_;
    }

private:
    void add_root() {
        const auto info = sys::inspect(top_);
        const auto xattrs = xattrs_of(top_);
        // Every unpacked layer's root is this one unless its archive says otherwise.
        if (info.mode == 0755 && info.owner == 0 && info.group == 0 && xattrs.empty()) return;
        auto entry = entry_of(info, "./");
        entry.type = TarType::directory;
        entry.xattrs = xattrs;
        tar_.add(entry);
    }

    void add_entries(const std::string& path) {
        const auto dir = open_directory(path);
        for (const auto& name : sys::list_directory(sys::FdRef(dir))) {
            const auto info = sys::inspect_at(dir, name);
            if (!info) throw make_error("{} went away while it was read", quote(path + name));
            in_context([&] { return "layer entry " + quote(path + name); }, [&] { add(dir, path, name, *info); });
        }
    }

    sys::Fd open_directory(const std::string& path) {
        auto dir = sys::find_directory_in_root(top_, path.empty() ? "." : path, sys::Missing::anything_else_or_link);
        if (!dir) throw make_error("{} is no directory any more", quote(path));
        return std::move(*dir);
    }

    void add(sys::FdRef dir, const std::string& path, const std::string& name, const sys::FileInfo& info) {
        auto entry = entry_of(info, path + name);
        if (info.kind != sys::FileKind::directory && info.links > 1 && link_to_earlier(entry, info)) return;
        switch (info.kind) {
            case sys::FileKind::directory:
                return add_directory(dir, name, std::move(entry));
            case sys::FileKind::regular:
                return add_regular(dir, name, std::move(entry));
            case sys::FileKind::symlink:
                entry.type = TarType::symlink;
                entry.link = sys::read_link_at(dir, name);
                entry.size = 0;
                return tar_.add(entry);
            case sys::FileKind::fifo:
                entry.type = TarType::fifo;
                entry.size = 0;
                return tar_.add(entry);
            case sys::FileKind::character:
            case sys::FileKind::block:
                return add_node(path, name, info);
            case sys::FileKind::socket:
                return;
        }
    }

    bool link_to_earlier(TarEntry& entry, const sys::FileInfo& info) {
        if (info.kind == sys::FileKind::socket || is_whiteout(info)) return false;
        const auto [found, fresh] = linked_.emplace(info.inode, entry.name);
        if (fresh) return false;
        entry.type = TarType::hard_link;
        entry.link = found->second;
        entry.size = 0;
        tar_.add(entry);
        return true;
    }

    void add_directory(sys::FdRef dir, const std::string& name, TarEntry entry) {
        const auto path = entry.name + "/";
        bool opaque = false;
        {
            const auto opened = sys::open_directory_at(dir, name);
            if (!opened) throw Error("is no directory any more");
            entry.type = TarType::directory;
            entry.size = 0;
            entry.xattrs = xattrs_of(*opened);
            opaque = sys::read_xattr(*opened, "trusted.overlay.opaque") == "y";
        }
        tar_.add(entry);
        if (opaque) add_mark(path + ".wh..wh..opq");
        add_entries(path);
    }

    void add_regular(sys::FdRef dir, const std::string& name, TarEntry entry) {
        const auto opened = sys::find_regular_file_in_root(dir, name);
        if (!opened) throw Error("is no regular file any more");
        const sys::FdRef file = *opened;
        entry.type = TarType::regular;
        entry.xattrs = xattrs_of(file);
        tar_.add(entry);
        auto left = entry.size;
        while (left > 0) {
            const auto wanted = std::min<std::int64_t>(left, static_cast<std::int64_t>(buffer_.size()));
            const auto got = sys::read_some(file, std::span(buffer_.data(), static_cast<std::size_t>(wanted)));
            if (!got || *got == 0) throw Error("became shorter while it was read");
            tar_.data({buffer_.data(), *got});
            left -= static_cast<std::int64_t>(*got);
        }
        size_ += entry.size;
    }

    static bool is_whiteout(const sys::FileInfo& info) {
        return info.kind == sys::FileKind::character && info.device == 0;
    }

    // Only overlayfs's own mark can be there: containers make no nodes, and unpacking leaves them out.
    void add_node(const std::string& path, const std::string& name, const sys::FileInfo& info) {
        if (is_whiteout(info)) add_mark(path + ".wh." + name);
    }

    // Without a time: overlayfs gives many removed names one node, and unpacking makes new ones.
    void add_mark(std::string name) {
        TarEntry mark;
        mark.name = std::move(name);
        tar_.add(mark);
    }

    TarEntry entry_of(const sys::FileInfo& info, std::string name) const {
        TarEntry entry;
        entry.name = std::move(name);
        entry.mode = info.mode;
        entry.owner = info.owner;
        entry.group = info.group;
        entry.size = info.size;
        entry.mtime_s = info.mtime_s;
        entry.mtime_ns = info.mtime_ns;
        if (options_.clamp_time && entry.mtime_s >= *options_.clamp_time) {
            entry.mtime_s = *options_.clamp_time;
            entry.mtime_ns = 0;
        }
        return entry;
    }

    static std::map<std::string, std::string> xattrs_of(sys::FdRef fd) {
        auto out = sys::read_xattrs(fd);
        std::erase_if(out, [](const auto& item) { return !is_layer_xattr(item.first); });
        return out;
    }

    sys::FdRef top_;
    TarWriter tar_;
    LayerTarOptions options_;
    std::string buffer_;
    std::map<std::uint64_t, std::string> linked_;  // inode -> the name that has the data
    std::int64_t size_ = 0;
};

class HashSink final : public ByteSink {
public:
    void write(std::string_view bytes) override {
        // Headers are small; the hash function is called for a good piece at once.
        if (bytes.size() >= kPiece) {
            flush();
            hash_.update(bytes.data(), bytes.size());
            return;
        }
        if (pending_.size() + bytes.size() > kPiece) flush();
        pending_ += bytes;
    }
    std::string hex() {
        flush();
        return hash_.hex();
    }

private:
    void flush() {
        hash_.update(pending_.data(), pending_.size());
        pending_.clear();
    }
    Sha256 hash_;
    std::string pending_;
};

}  // namespace

void write_layer_tar(sys::FdRef folder, ByteSink& out, const LayerTarOptions& options) {
    LayerTar(folder, out, options).run();
}

UnpackedLayer adopt_layer(const std::string& folder, const std::string& layers_dir, const std::string& parent_chain_id,
                          const LayerTarOptions& options) {
    if (!parent_chain_id.empty() && !is_chain_id(parent_chain_id)) throw Error("not a chain id: " + parent_chain_id);
    const auto top = sys::open_directory(folder);
    HashSink hash;
    const auto size = LayerTar(top, hash, options).run();
    const auto diff = hash.hex();
    UnpackedLayer layer{
        .diff_id = "sha256:" + diff, .chain_id = chain_id_of(parent_chain_id, diff), .size = size, .warnings = {}};
    const auto target = layers_dir + "/" + layer.chain_id;
    // The name promises a whole layer, also after a power loss.
    if (!sys::exists(target)) {
        sys::sync_file_system(top);
        const auto layers = sys::open_directory(layers_dir);
        const auto slash = folder.rfind('/');
        const auto above = sys::open_directory(slash == std::string::npos ? "." : folder.substr(0, slash + 1));
        try {
            sys::rename_at(above, folder.substr(slash == std::string::npos ? 0 : slash + 1), layers, layer.chain_id);
            return layer;
        } catch (const Error& error) {
            if (error.code() != EEXIST && error.code() != ENOTEMPTY) throw;
        }
    }
    sys::remove_tree(folder);
    return layer;
}

}  // namespace compose::image
