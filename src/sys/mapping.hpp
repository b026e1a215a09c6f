// A small file mapped shared: memory that several processes see.
#pragma once

#include <cstddef>
#include <string>

namespace compose::sys {

/// Makes the file (0600) and grows it to `size` when needed. Undo with unmap().
[[nodiscard]] void* map_shared_file(const std::string& path, std::size_t size);
void unmap(void* address, std::size_t size) noexcept;

}  // namespace compose::sys
