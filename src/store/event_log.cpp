#include "store/event_log.hpp"

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "store/codec.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"
#include "sys/inotify.hpp"
#include "sys/spool.hpp"

namespace compose::store {

namespace {

constexpr std::uint64_t kLargest = std::uint64_t{16} << 20U;
constexpr std::size_t kBlock = std::size_t{64} << 10U;
constexpr std::chrono::milliseconds kPatience{200};

std::string old_path(const Layout& layout) {
    return layout.event_log() + ".1";
}

std::string encode_line(const EventRecord& record) {
    json::object attributes;
    for (const auto& [key, value] : record.attributes) attributes[key] = value;
    const json::object object{{"time", record.time},       {"type", record.type},
                              {"action", record.action},   {"id", record.id},
                              {"name", record.name},       {"project", record.project},
                              {"service", record.service}, {"attributes", std::move(attributes)}};
    return json::serialize(object) + "\n";
}

/// Nothing for a line that was cut off by a power loss.
std::optional<EventRecord> decode_line(std::string_view line) {
    json::error_code code;
    const auto value = json::parse(line, code);
    if (code || !value.is_object()) return std::nullopt;
    const auto& object = value.as_object();
    EventRecord record;
    record.time = int_or(object, "time", 0);
    record.type = string_or(object, "type");
    record.action = string_or(object, "action");
    record.id = string_or(object, "id");
    record.name = string_or(object, "name");
    record.project = string_or(object, "project");
    record.service = string_or(object, "service");
    if (const auto* attributes = object.if_contains("attributes"); attributes != nullptr && attributes->is_object())
        for (const auto& [key, item] : attributes->as_object())
            if (item.is_string()) record.attributes[std::string(key)] = std::string(item.as_string());
    return record;
}

/// One of all writers moves the file aside.
void rotate(const Layout& layout) {
    const auto lock = sys::FileLock::acquire(layout.event_log() + ".lock", kPatience);
    if (!lock) return;
    const auto file = sys::open_to_read(layout.event_log());
    if (file && sys::facts_of(*file).size >= kLargest) sys::rename_file(layout.event_log(), old_path(layout));
}

}  // namespace

EventRecord container_event(const Container& row, std::string action, std::map<std::string, std::string> attributes) {
    attributes.emplace("image", row.config.image);
    attributes.insert(row.labels.begin(), row.labels.end());
    return {.time = 0,
            .type = "container",
            .action = std::move(action),
            .id = row.id,
            .name = row.name,
            .project = row.project,
            .service = row.service,
            .attributes = std::move(attributes)};
}

void append_event(const Layout& layout, EventRecord record) noexcept {
    try {
        if (record.time == 0) record.time = sys::wall_now().time_since_epoch().count();
        const auto file = sys::open_to_append(layout.event_log());
        const auto size = sys::facts_of(file).size;
        auto line = encode_line(record);
        char last[1] = {'\n'};
        // After a power loss the file may end inside a line.
        if (size > 0 && sys::read_at(file, last, size - 1) == 1 && last[0] != '\n') line.insert(0, "\n");
        (void)sys::append_some(file, line);
        if (size >= kLargest) rotate(layout);
    } catch (const std::exception& error) {
        log::debug("event log: {}", error.what());
    }
}

struct EventReader::Impl {
    Layout layout;
    std::int64_t since = 0;
    bool follow = false;
    std::optional<sys::FileWatcher> watcher;
    std::deque<sys::Fd> files;  // still to be read, oldest first; the last is the present one
    std::uint64_t offset = 0;
    std::uint64_t inode = 0;  // of the present one
    std::string buffer;

    void open() {
        auto now = sys::open_to_read(layout.event_log());
        if (auto old = sys::open_to_read(old_path(layout)); old && since != 0) {
            // It may have been moved between the two looks.
            if (!now || sys::facts_of(*old).inode != sys::facts_of(*now).inode) files.push_back(std::move(*old));
        }
        if (!now) return;
        inode = sys::facts_of(*now).inode;
        if (follow && since == 0) offset = sys::facts_of(*now).size;
        files.push_back(std::move(*now));
    }

    /// A new present file, when the one that was present has been moved away.
    bool open_successor() {
        auto now = sys::open_to_read(layout.event_log());
        if (!now || sys::facts_of(*now).inode == inode) return false;
        inode = sys::facts_of(*now).inode;
        files.push_back(std::move(*now));
        return true;
    }

    bool fill() {
        for (;;) {
            if (files.empty() && !open_successor()) return false;
            const auto before = buffer.size();
            buffer.resize(before + kBlock);
            const auto n = sys::read_at(files.front(), {buffer.data() + before, kBlock}, offset);
            buffer.resize(before + n);
            offset += n;
            if (n > 0) return true;
            if (files.size() < 2 && !open_successor()) return false;
            files.pop_front();
            offset = 0;
        }
    }
};

EventReader::EventReader(const Layout& layout, std::int64_t since, bool follow) : impl_(std::make_unique<Impl>()) {
    impl_->layout = layout;
    impl_->since = since;
    impl_->follow = follow;
    if (follow) {
        layout.prepare();
        impl_->watcher.emplace();
        impl_->watcher->watch_directory(layout.state);
    }
    impl_->open();
}

EventReader::~EventReader() = default;

std::optional<EventRecord> EventReader::next() {
    bool quiet = false;
    for (;;) {
        if (const auto feed = impl_->buffer.find('\n'); feed != std::string::npos) {
            auto record = decode_line(std::string_view(impl_->buffer).substr(0, feed));
            impl_->buffer.erase(0, feed + 1);
            if (record && record->time >= impl_->since) return record;
            continue;
        }
        if (impl_->fill()) continue;
        // Quiet first, then a look: what comes after the look is heard.
        if (!impl_->watcher || quiet) return std::nullopt;
        impl_->watcher->drain();
        quiet = true;
    }
}

sys::FdRef EventReader::fd() const {
    return impl_->watcher ? impl_->watcher->fd() : sys::FdRef();
}

}  // namespace compose::store
