// compose/event_log.hpp over the store's reader.
#include <compose/event_log.hpp>

#include "store/event_log.hpp"

namespace compose {

struct EventStream::Impl {
    Impl(const store::Layout& layout, std::int64_t since, bool follow) : reader(layout, since, follow) {}
    store::EventReader reader;
};

EventStream::EventStream(const EngineOptions& options, std::int64_t since, bool follow)
    : impl_(std::make_unique<Impl>(store::Layout::from(options.state_dir, options.run_dir), since, follow)) {}

EventStream::~EventStream() = default;

std::optional<RecordedEvent> EventStream::next() {
    auto record = impl_->reader.next();
    if (!record) return std::nullopt;
    return RecordedEvent{.time = record->time,
                         .type = std::move(record->type),
                         .action = std::move(record->action),
                         .id = std::move(record->id),
                         .name = std::move(record->name),
                         .project = std::move(record->project),
                         .service = std::move(record->service),
                         .attributes = std::move(record->attributes)};
}

int EventStream::fd() const {
    return impl_->reader.fd().get();
}

}  // namespace compose
