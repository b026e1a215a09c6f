// Blobs by their digest, as they came from registries and archives and go to them again.
//
//   blobs/sha256/<hex>     whole and verified; never changed
//   blobs/partial/<hex>    being fetched; its flock says that someone is at it. What a dead one has left is hashed
//   again
//                          and gone on from.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"
#include "image/byte_sink.hpp"
#include "image/interrupt.hpp"
#include "sys/fd.hpp"

namespace compose::image {

class ContentStore {
public:
    /// Makes the folders.
    explicit ContentStore(std::string folder);

    [[nodiscard]] bool has(const std::string& digest) const;
    /// For reading; nothing when it is not here.
    [[nodiscard]] std::optional<sys::Fd> open(const std::string& digest) const;
    [[nodiscard]] std::int64_t size(const std::string& digest) const;  // throws when it is not here
    [[nodiscard]] std::string path(const std::string& digest) const;
    /// Removes blobs that are not in `keep`, and partial ones that nobody is at if `partial`. Returns the bytes freed.
    /// Hold the exclusive side of the layers' lease (see layer.hpp).
    std::int64_t remove_unused(const std::vector<std::string>& keep, bool partial);

private:
    friend class PartialBlob;
    friend class NewBlob;
    /// New blobs that dead processes have left.
    void remove_stale() const;
    std::string folder_;
};

/// One blob of known digest on its way in.
class PartialBlob {
public:
    /// Waits for whoever else fetches it. Then either it is here (`complete()`), or this one owns it.
    PartialBlob(const ContentStore& store, std::string digest, const Interrupt& interrupt);

    [[nodiscard]] bool complete() const { return complete_; }
    [[nodiscard]] std::int64_t size() const { return size_; }
    /// Hands what an earlier one has left to `out` and to the hash.
    void replay(const std::function<void(std::string_view)>& out);
    void append(std::string_view bytes);
    /// From the beginning again.
    void restart();
    /// Verifies the digest of all bytes; throws Error(invalid) and forgets them when it is another.
    void verify();
    /// Makes it a blob for good. Whoever calls has seen to it that the bytes are on the disk.
    void commit();

private:
    const ContentStore& store_;
    std::string digest_;
    sys::Fd fd_;
    Sha256 hash_;
    std::int64_t size_ = 0;
    bool complete_ = false;
};

/// One blob whose digest is known only at the end.
class NewBlob final : public ByteSink {
public:
    explicit NewBlob(const ContentStore& store);
    ~NewBlob() override;
    NewBlob(const NewBlob&) = delete;
    NewBlob& operator=(const NewBlob&) = delete;

    void write(std::string_view bytes) override;
    [[nodiscard]] std::int64_t size() const { return size_; }
    /// Its digest; the blob is here for good.
    [[nodiscard]] std::string commit();

private:
    const ContentStore& store_;
    std::string path_;
    sys::Fd fd_;
    Sha256 hash_;
    std::int64_t size_ = 0;
};

}  // namespace compose::image
