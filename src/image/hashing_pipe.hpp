// Two threads for one stream: one reads, decompresses and hashes, the other takes the plain bytes. A few buffers lie
// between them, so memory is bounded and neither waits for the other's every step.
#pragma once

#include <memory>
#include <string>

#include "image/byte_source.hpp"
#include "sys/fd.hpp"

namespace compose::image {

class HashingPipe final : public ByteSource {
public:
    /// `fd` must stay open until the destructor, which does not wait for a slow peer.
    explicit HashingPipe(sys::FdRef fd);
    ~HashingPipe() override;

    [[nodiscard]] std::string_view peek() override;
    void consume(std::size_t size) override;
    /// SHA-256 of the plain bytes, after they were read to the end.
    [[nodiscard]] std::string digest() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace compose::image
