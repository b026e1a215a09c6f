// The heap's pages. Owns nothing; a hint to the kernel and the allocator for programs that live shortly.
#pragma once

#include <cstddef>

namespace compose::sys {

/// Grows the heap by `bytes` of address space now and backs it with huge pages as it is touched. Where a page fault is
/// dear (in most virtual machines), loading a big project is otherwise spent on thousands of them. Call it once, early,
/// before any thread exists; does nothing where the kernel has no huge pages.
void prefer_huge_heap(std::size_t bytes);

}  // namespace compose::sys
