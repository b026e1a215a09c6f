// Progress of layers as events: each stage once, bytes a few times a second.
#pragma once

#include <compose/events.hpp>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "image/pull.hpp"
#include "sys/clock.hpp"

namespace compose::engine {

/// Lets an event through when its text is a new one, or its last was long enough ago.
class EventLimit {
public:
    [[nodiscard]] bool due(const std::string& id, const std::string& text);

private:
    struct Last {
        std::string text;
        sys::MonotonicTime time;
    };
    std::mutex mutex_;
    std::map<std::string, Last> last_;
};

class LayerReporter {
public:
    /// `parent`: the id of the events that these are a part of.
    LayerReporter(EventSink& events, std::string parent) : events_(events), parent_(std::move(parent)) {}
    void operator()(const image::LayerProgress& progress);

private:
    EventSink& events_;
    const std::string parent_;
    EventLimit limit_;
    std::mutex mutex_;
    std::set<std::string> finished_;
};

}  // namespace compose::engine
