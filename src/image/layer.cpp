#include "image/layer.hpp"

#include <algorithm>
#include <chrono>

#include "base/error.hpp"
#include "base/log.hpp"
#include "image/chain_id.hpp"
#include "image/hashing_pipe.hpp"
#include "image/layer_writer.hpp"
#include "image/tar.hpp"
#include "sys/clock.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/tree.hpp"

namespace compose::image {

namespace {

constexpr std::string_view kTemporary = "tmp-";
constexpr std::string_view kLeaseFile = ".lease";
constexpr std::chrono::milliseconds kLeaseTimeout{10'000};

/// A folder that is being filled. Its flock says that someone lives who fills it.
class TemporaryLayer {
public:
    explicit TemporaryLayer(sys::FdRef layers) : layers_(layers) {
        for (;;) {
            name_ = std::string(kTemporary) + sys::random_id().substr(0, 16);
            if (!sys::create_directory_at(layers_, name_, 0700)) continue;
            auto dir = sys::open_directory_at(layers_, name_);
            if (!dir || !sys::lock(*dir, sys::LockMode::exclusive, std::chrono::milliseconds(0))) continue;
            // Someone who cleans up may have come between: only a folder that still has its name is ours.
            const auto there = sys::inspect_at(layers_, name_);
            if (!there || there->inode != sys::inspect(*dir).inode) continue;
            dir_ = std::move(*dir);
            return;
        }
    }
    ~TemporaryLayer() {
        if (!dir_) return;
        try {
            sys::remove_tree_at(layers_, name_);
        } catch (const Error& error) {
            log::debug("remove {}: {}", name_, error.what());  // the next one that cleans up will try again
        }
    }
    TemporaryLayer(const TemporaryLayer&) = delete;
    TemporaryLayer& operator=(const TemporaryLayer&) = delete;

    [[nodiscard]] sys::FdRef dir() const { return dir_; }

    /// Gives the folder its name for good. False when a layer of that name is there: then this one goes away.
    bool keep_as(const std::string& name) {
        if (sys::inspect_at(layers_, name)) return false;
        try {
            sys::rename_at(layers_, name_, layers_, name);
        } catch (const Error& error) {
            if (error.code() == EEXIST || error.code() == ENOTEMPTY) return false;
            throw;
        }
        dir_.reset();
        return true;
    }

private:
    sys::FdRef layers_;
    std::string name_;
    sys::Fd dir_;
};

void remove_stale(sys::FdRef layers) {
    for (const auto& name : sys::list_directory(layers)) {
        if (!name.starts_with(kTemporary)) continue;
        const auto dir = sys::open_directory_at(layers, name);
        if (!dir || !sys::lock(*dir, sys::LockMode::exclusive, std::chrono::milliseconds(0))) continue;
        log::debug("remove the unfinished layer {}", name);
        sys::remove_tree_at(layers, name);
    }
}

}  // namespace

std::string chain_id(const std::string& parent, const std::string& diff_id) {
    return chain_id_of(parent, diff_id.substr(diff_id.find(':') + 1));
}

bool has_layer(const std::string& layers_dir, const std::string& id) {
    return is_chain_id(id) && sys::is_directory(layers_dir + "/" + id);
}

struct PendingLayer::Impl {
    explicit Impl(const std::string& folder)
        : layers(sys::open_directory(folder)), temporary((remove_stale(layers), layers)) {}

    sys::Fd layers;
    TemporaryLayer temporary;
    bool lowest = true;
    UnpackedLayer layer;
};

PendingLayer::PendingLayer(const std::string& layers_dir, bool lowest) : impl_(std::make_unique<Impl>(layers_dir)) {
    sys::set_mode(impl_->temporary.dir(), 0755);
    impl_->lowest = lowest;
}
PendingLayer::~PendingLayer() = default;

void PendingLayer::read(sys::FdRef tar) {
    HashingPipe source(tar);
    TarReader reader(source);
    LayerWriter writer(impl_->temporary.dir(), impl_->lowest);
    TarEntry entry;
    while (reader.next(entry)) writer.write(entry, reader);
    writer.finish();
    impl_->layer.diff_id = "sha256:" + source.digest();
    impl_->layer.size = writer.size();
    impl_->layer.warnings = writer.take_warnings();
}

const UnpackedLayer& PendingLayer::layer() const {
    return impl_->layer;
}

UnpackedLayer PendingLayer::commit(const std::string& parent_chain_id) {
    impl_->layer.chain_id = chain_id(parent_chain_id, impl_->layer.diff_id);
    // The name promises a whole layer, also after a power loss.
    sys::sync_file_system(impl_->temporary.dir());
    impl_->temporary.keep_as(impl_->layer.chain_id);
    return impl_->layer;
}

UnpackedLayer unpack_layer(sys::FdRef tar, const std::string& layers_dir, const std::string& parent_chain_id) {
    if (!parent_chain_id.empty() && !is_chain_id(parent_chain_id)) throw Error("not a chain id: " + parent_chain_id);
    PendingLayer pending(layers_dir, parent_chain_id.empty());
    pending.read(tar);
    return pending.commit(parent_chain_id);
}

LayerLease::LayerLease(const std::string& layers_dir)
    : fd_(sys::open_lock_file(layers_dir + "/" + std::string(kLeaseFile))) {
    if (!sys::lock(fd_, sys::LockMode::shared, kLeaseTimeout))
        throw make_error(ErrorKind::conflict, "unused layers are being removed: try again when that is done");
}

std::vector<std::string> remove_unused_layers(const std::string& layers_dir,
                                              const std::function<std::vector<std::string>()>& in_use) {
    const auto lease = sys::open_lock_file(layers_dir + "/" + std::string(kLeaseFile));
    // Someone unpacks an image that no row names yet: what is unused stays for the next time.
    if (!sys::lock(lease, sys::LockMode::exclusive, std::chrono::milliseconds(200))) return {};
    const auto layers = sys::open_directory(layers_dir);
    remove_stale(layers);
    auto used = in_use();
    std::sort(used.begin(), used.end());
    std::vector<std::string> removed;
    for (const auto& name : sys::list_directory(layers)) {
        if (!is_chain_id(name) || std::binary_search(used.begin(), used.end(), name)) continue;
        // Under another name first: a layer that is half removed must not look whole.
        const auto doomed = std::string(kTemporary) + sys::random_id().substr(0, 16);
        sys::rename_at(layers, name, layers, doomed);
        sys::remove_tree_at(layers, doomed);
        removed.push_back(name);
    }
    return removed;
}

std::vector<std::string> remove_unused_layers(const std::string& layers_dir, const std::vector<std::string>& in_use) {
    return remove_unused_layers(layers_dir, [&] { return in_use; });
}

}  // namespace compose::image
