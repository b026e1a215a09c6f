#include "engine/build_push.hpp"

#include <compose/images.hpp>

#include "base/error.hpp"
#include "sys/clock.hpp"

namespace compose::engine {
namespace {

/// What a push says, as the output of a step.
class PushEvents final : public EventSink {
public:
    PushEvents(BuildShared& shared, const std::string& name) : shared_(shared), began_(sys::monotonic_now()) {
        event_.build = shared.request.name;
        event_.step = ++shared.steps;
        event_.title = "[push] " + name;
        tell(BuildEvent::Kind::started, {});
    }
    void on_event(const Event& event) override {
        // Of bytes on their way, the last word is enough.
        if (event.status == Event::Status::done && !event.id.starts_with("Image "))
            tell(BuildEvent::Kind::output, event.id + ": " + event.text + "\n");
    }
    void tell(BuildEvent::Kind kind, const std::string& text) {
        const std::lock_guard lock(mutex_);
        event_.kind = kind;
        event_.text = text;
        event_.seconds = std::chrono::duration<double>(sys::monotonic_now() - began_).count();
        shared_.sink.on_build_event(event_);
    }

private:
    BuildShared& shared_;
    const sys::MonotonicTime began_;
    std::mutex mutex_;
    BuildEvent event_;
};

}  // namespace

std::string push_tags(BuildShared& shared, const std::vector<image::Reference>& tags) {
    EngineOptions options;
    options.state_dir = shared.layout.state;
    options.run_dir = shared.layout.run;
    std::string digest;
    for (const auto& tag : tags) {
        PushEvents events(shared, tag.familiar());
        try {
            Images images(options, events);
            for (const auto& line : images.push(tag.familiar(), false, false, shared.cancel)) {
                // "latest: digest: sha256:... size: 123"
                const auto at = line.find("sha256:");
                if (at != std::string::npos) digest = line.substr(at, line.find(' ', at) - at);
            }
        } catch (const Error& error) {
            events.tell(BuildEvent::Kind::failed, error.what());
            throw;
        }
        events.tell(BuildEvent::Kind::done, {});
    }
    return digest;
}

}  // namespace compose::engine
