// What has happened on this installation, and what is happening: containers, networks, volumes and images of all
// projects. Reads a file that everybody appends to; no supervisor is asked.
#pragma once

#include <compose/engine.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace compose {

struct RecordedEvent {
    std::int64_t time = 0;  // nanoseconds since 1970
    std::string type;       // container, network, volume, image
    std::string action;     // create, start, die, kill, oom, stop, destroy, health_status, exec_start: ..., pause, ...
    std::string id, name, project, service;
    std::map<std::string, std::string> attributes;
};

class EventStream {
public:
    /// From `since` on; 0: when following, what happens from now on, else everything that is still known.
    EventStream(const EngineOptions& options, std::int64_t since, bool follow);
    ~EventStream();
    EventStream(const EventStream&) = delete;
    EventStream& operator=(const EventStream&) = delete;

    /// Nothing when there is none now.
    [[nodiscard]] std::optional<RecordedEvent> next();
    /// For poll(2): readable when there may be more. -1 unless following.
    [[nodiscard]] int fd() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace compose
