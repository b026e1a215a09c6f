#include "supervisor/listeners.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "sys/poll.hpp"

namespace compose::supervisor {
namespace {

constexpr std::size_t kTooMuch = std::size_t{1} << 20U;
constexpr std::size_t kEnough = kTooMuch / 4;

}  // namespace

void Listeners::add(sys::Fd out, sys::Fd err) {
    auto& listener = all_.emplace_back();
    listener.ways[0].pipe = std::move(out);
    listener.ways[1].pipe = std::move(err);
    for (const auto& way : listener.ways)
        if (way.pipe) sys::set_nonblocking(way.pipe, true);
}

void Listeners::feed(Stream stream, std::string_view bytes) {
    for (auto& listener : all_) {
        auto& way = listener.ways[static_cast<std::size_t>(stream)];
        if (!way.pipe || listener.ending) continue;
        way.pending += bytes;
        if (!way.writable) flush(listener, way);
    }
    settle();
}

void Listeners::end() {
    for (auto& listener : all_) {
        listener.ending = true;
        for (auto& way : listener.ways)
            if (way.pending.empty()) way.pipe.reset();
    }
    settle();
}

void Listeners::flush(Listener& listener, Way& way) {
    try {
        std::size_t done = 0;
        while (done < way.pending.size()) {
            const auto n = sys::write_some(way.pipe, std::string_view(way.pending).substr(done));
            if (!n) break;
            done += *n;
        }
        way.pending.erase(0, done);
    } catch (const Error&) {  // it has gone
        way.pending.clear();
        way.writable.cancel();
        way.pipe.reset();
        return;
    }
    if (!way.pending.empty()) {
        if (!way.writable)
            way.writable = loop_.on_writable(way.pipe, [this, &listener, &way] {
                flush(listener, way);
                settle();
            });
        return;
    }
    way.writable.cancel();
    if (listener.ending) way.pipe.reset();
}

void Listeners::settle() {
    const auto backlog = [](const Listener& listener) {
        return std::max(listener.ways[0].pending.size(), listener.ways[1].pending.size());
    };
    const bool lag = std::any_of(all_.begin(), all_.end(), [&](const Listener& listener) {
        return backlog(listener) > (holding_ ? kEnough : kTooMuch);
    });
    if (lag != holding_) {
        holding_ = lag;
        hooks_.congested(lag);
    }
    const auto over = [](const Listener& listener) { return !listener.ways[0].pipe && !listener.ways[1].pipe; };
    if (std::none_of(all_.begin(), all_.end(), over)) return;
    // Not from inside a callback of one of its own watches.
    settling_ = loop_.after(std::chrono::nanoseconds(0), [this, over] {
        settling_.cancel();
        const bool had = !all_.empty();
        all_.remove_if(over);
        if (had && all_.empty()) hooks_.left();
    });
}

}  // namespace compose::supervisor
