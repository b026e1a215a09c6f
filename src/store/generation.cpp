#include <atomic>

#include "store/store.hpp"
#include "sys/mapping.hpp"

namespace compose::store {

namespace {

using Counter = std::uint64_t;
static_assert(std::atomic_ref<Counter>::is_always_lock_free, "a lock would not be shared between processes");

std::atomic_ref<Counter> counter(void* mapping) {
    return std::atomic_ref<Counter>(*static_cast<Counter*>(mapping));
}

}  // namespace

Generation::Generation(const Layout& layout)
    : mapping_(sys::map_shared_file(layout.dns_generation(), sizeof(Counter))) {}

Generation::~Generation() {
    sys::unmap(mapping_, sizeof(Counter));
}

std::uint64_t Generation::value() const noexcept {
    return counter(mapping_).load(std::memory_order_acquire);
}

void Generation::bump() noexcept {
    counter(mapping_).fetch_add(1, std::memory_order_acq_rel);
}

}  // namespace compose::store
