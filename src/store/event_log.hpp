// What has happened to containers, networks, volumes and images: one JSON object a line, appended by whoever did it.
// Several processes write; readers follow the file without asking anybody. A file that has grown large is moved aside
// once, and the one that was moved before goes.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "store/layout.hpp"
#include "store/records.hpp"
#include "sys/fd.hpp"

namespace compose::store {

struct EventRecord {
    std::int64_t time = 0;  // nanoseconds since 1970; 0: now
    std::string type;       // container, network, volume, image
    std::string action;     // create, start, die, ...
    std::string id;         // of the object; a name for volumes and images
    std::string name;
    std::string project;
    std::string service;
    std::map<std::string, std::string> attributes;
};

/// Of a container; its labels and its image are attributes, too, as Docker's events have them.
[[nodiscard]] EventRecord container_event(const Container& row, std::string action,
                                          std::map<std::string, std::string> attributes = {});

/// Never fails: what is done is done, also when it can't be told.
void append_event(const Layout& layout, EventRecord record) noexcept;

class EventReader {
public:
    /// From `since` on (0: what comes from now on, when following; else all); `follow`: wait for what comes.
    EventReader(const Layout& layout, std::int64_t since, bool follow);
    ~EventReader();
    EventReader(const EventReader&) = delete;
    EventReader& operator=(const EventReader&) = delete;

    /// The next one that is there.
    [[nodiscard]] std::optional<EventRecord> next();
    /// Readable when there may be more. Empty unless following.
    [[nodiscard]] sys::FdRef fd() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace compose::store
