// The rows of containers that are gone otherwise. A transaction for each would cost more than the rest of a removal, so
// a plan deletes them many at a time; who is cut short between leaves rows without a folder, which the next one
// removes.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "store/event_log.hpp"
#include "store/store.hpp"

namespace compose::engine {

class RemovedRows {
public:
    struct Entry {
        store::EventRecord destroyed;  // of the container
        bool with_volumes = false;     // the anonymous ones that nobody uses any more
    };

    void add(Entry entry);
    /// Deletes the rows of all that were added, tells the events, then removes their volumes. Any thread.
    void flush(store::Store& store, store::Generation& generation);
    [[nodiscard]] bool empty() const;
    /// Are there as many as one transaction should have?
    [[nodiscard]] bool full() const;

private:
    mutable std::mutex mutex_;
    std::vector<Entry> entries_;
};

}  // namespace compose::engine
