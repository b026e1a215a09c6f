#include "runtime/arena.hpp"

#include <cstring>

#include "base/error.hpp"
#include "sys/raw.hpp"

namespace compose::runtime {
namespace {

// Address space, not memory: only what is used becomes pages. Room for the largest argument list that execve takes.
constexpr std::size_t kCapacity = std::size_t{16} << 20U;

}  // namespace

Arena::Arena() : capacity_(kCapacity) {
    void* memory = sys::raw::map_anonymous(capacity_);
    if (memory == nullptr) throw make_error("there is no memory for a launch");
    memory_ = static_cast<char*>(memory);
}

Arena::~Arena() {
    sys::raw::unmap(memory_, capacity_);
}

void* Arena::allocate(std::size_t size, std::size_t alignment) {
    const std::size_t start = (used_ + alignment - 1) / alignment * alignment;
    if (start > capacity_ || size > capacity_ - start)
        throw make_error(ErrorKind::invalid, "arguments, environment and mounts are larger than 16 MiB");
    used_ = start + size;
    return memory_ + start;
}

const char* Arena::text(std::string_view value) {
    if (value.find('\0') != std::string_view::npos)
        throw make_error(ErrorKind::invalid, "a text holds a NUL character");
    auto* copy = static_cast<char*>(allocate(value.size() + 1, 1));
    std::memcpy(copy, value.data(), value.size());
    copy[value.size()] = '\0';
    return copy;
}

const char** Arena::texts(const std::vector<std::string>& values) {
    const Span<const char*> result = list<const char*>(values.size() + 1);
    for (std::size_t i = 0; i < values.size(); ++i) result[i] = text(values[i]);
    return result.data;
}

}  // namespace compose::runtime
