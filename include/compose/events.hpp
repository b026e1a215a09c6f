// Progress of an operation, as the engine tells it to whoever renders it.
#pragma once

#include <cstdint>
#include <string>

namespace compose {

struct Event {
    enum class Status { working, done, warning, error };
    Status status = Status::working;
    std::string id;       // "Container p-web-1", "Network p_default", "Volume p_data", "Image debian"
    std::string text;     // "Creating", "Created", "Starting", "Started", "Waiting", "Healthy", "Removed", ...
    std::string details;  // an error's reason, or empty
    std::int64_t current = 0;
    std::int64_t total = 0;
    std::string parent{};  // the id of what it is a part of: a layer's image; or empty
};

/// Called from any worker thread; implementations serialise.
class EventSink {
public:
    virtual ~EventSink() = default;
    virtual void on_event(const Event& event) = 0;
};

}  // namespace compose
