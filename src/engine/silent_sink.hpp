// For operations whose progress nobody watches.
#pragma once

#include <compose/events.hpp>

namespace compose::engine {

class SilentSink : public EventSink {
public:
    void on_event(const Event& /*event*/) override {}
};

}  // namespace compose::engine
