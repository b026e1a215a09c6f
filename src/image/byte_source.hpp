// Bytes that come one after the other, without copying: the reader looks at what is there and says how much it took.
#pragma once

#include <cstddef>
#include <string_view>

namespace compose::image {

class ByteSource {
public:
    virtual ~ByteSource() = default;
    /// What is there next: empty only at the end. Stays valid until the next consume().
    [[nodiscard]] virtual std::string_view peek() = 0;
    virtual void consume(std::size_t size) = 0;
};

/// Bytes in memory that outlive the source.
class MemorySource final : public ByteSource {
public:
    explicit MemorySource(std::string_view bytes) : rest_(bytes) {}
    [[nodiscard]] std::string_view peek() override { return rest_; }
    void consume(std::size_t size) override { rest_.remove_prefix(size); }

private:
    std::string_view rest_;
};

}  // namespace compose::image
