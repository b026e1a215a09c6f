#include "engine/layer_reporter.hpp"

namespace compose::engine {
namespace {

using Stage = image::LayerProgress::Stage;
constexpr std::chrono::milliseconds kEvery{100};

}  // namespace

bool EventLimit::due(const std::string& id, const std::string& text) {
    const std::lock_guard guard(mutex_);
    auto& last = last_[id];
    const auto now = sys::monotonic_now();
    if (last.text == text && now - last.time < kEvery) return false;
    last = {text, now};
    return true;
}

void LayerReporter::operator()(const image::LayerProgress& progress) {
    Event event{
        Event::Status::working, progress.digest.substr(7, 12), "", "", progress.current, progress.total, parent_};
    switch (progress.stage) {
        case Stage::waiting:
            event.text = "Waiting";
            event.total = 0;
            break;
        case Stage::downloading:
            event.text = "Downloading";
            break;
        case Stage::finishing:
            event.text = "Extracting";
            break;
        case Stage::exists:
        case Stage::done:
            event.text = progress.stage == Stage::done ? "Pull complete" : "Already exists";
            event.status = Event::Status::done;
            event.current = event.total = 0;
            break;
    }
    {
        // A layer that is there already is also done: one word is enough.
        const std::lock_guard guard(mutex_);
        if (finished_.contains(event.id)) return;
        if (event.status == Event::Status::done) finished_.insert(event.id);
    }
    if (limit_.due(event.id, event.text)) events_.on_event(event);
}

}  // namespace compose::engine
