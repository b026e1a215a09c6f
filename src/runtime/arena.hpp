// One block of memory that holds all of a launch plan, and nothing else. The child can therefore forget (unmap) every
// other byte that it inherited from the engine, and still know what to do.
#pragma once

#include <cstddef>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace compose::runtime {

/// A list inside an arena.
template <class T>
struct Span {
    T* data = nullptr;
    std::size_t size = 0;
    [[nodiscard]] T* begin() const { return data; }
    [[nodiscard]] T* end() const { return data + size; }
    T& operator[](std::size_t i) const { return data[i]; }
};

class Arena {
public:
    Arena();
    ~Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    [[nodiscard]] void* allocate(std::size_t size, std::size_t alignment);
    [[nodiscard]] const char* text(std::string_view value);

    template <class T>
    [[nodiscard]] Span<T> list(std::size_t count) {
        static_assert(std::is_trivially_destructible_v<T>);
        auto* items = static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
        for (std::size_t i = 0; i < count; ++i) new (items + i) T{};
        return {items, count};
    }
    template <class T>
    [[nodiscard]] Span<T> list(const std::vector<T>& values) {
        Span<T> result = list<T>(values.size());
        for (std::size_t i = 0; i < values.size(); ++i) result[i] = values[i];
        return result;
    }
    /// A null-terminated array, as execve takes it.
    [[nodiscard]] const char** texts(const std::vector<std::string>& values);

    [[nodiscard]] const char* begin() const { return memory_; }
    [[nodiscard]] std::size_t capacity() const { return capacity_; }

private:
    char* memory_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t used_ = 0;
};

}  // namespace compose::runtime
