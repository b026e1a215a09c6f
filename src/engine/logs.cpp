// compose/logs.hpp over the supervisor's reader: one reader a container, one watcher for all of them (a user has few
// inotify instances), one queue that always holds the next line of each.
#include <compose/logs.hpp>
#include <map>
#include <queue>

#include "base/error.hpp"
#include "engine/old_logs.hpp"
#include "supervisor/log_reader.hpp"
#include "sys/inotify.hpp"

namespace compose {

namespace {

struct Head {
    LogEntry entry;
    std::string source;  // key of its reader
};

struct Later {
    bool operator()(const Head& a, const Head& b) const {
        return a.entry.time != b.entry.time ? a.entry.time > b.entry.time : a.source > b.source;
    }
};

std::optional<sys::WallTime> bound(std::int64_t ns) {
    return ns == 0 ? std::nullopt : std::optional(sys::WallTime(std::chrono::nanoseconds(ns)));
}

std::string folder_of(const std::string& path) {
    return path.substr(0, path.rfind('/'));
}

}  // namespace

struct ContainerLogs::Impl {
    std::map<std::string, supervisor::LogReader> readers;
    std::priority_queue<Head, std::vector<Head>, Later> heads;
    std::optional<sys::FileWatcher> watcher;

    /// What its predecessors wrote comes first, under its name; of it only as many lines as it has too few itself.
    void add_previous(const std::string& id, const std::string& path, supervisor::LogQuery& query) {
        if (path.empty()) return;
        const std::string key = id + "/previous";
        const auto count = [](supervisor::LogReader reader) {
            std::size_t lines = 0;
            supervisor::LogLine line;
            while (reader.next(line)) lines += line.continued ? 0 : 1;
            return lines;
        };
        auto earlier = query;
        if (query.tail) {
            const std::string own = path.substr(0, path.rfind('/') + 1) + "container.log";
            const std::size_t there = count(supervisor::LogReader(own, query));
            if (there >= *query.tail) return;
            earlier.tail = *query.tail - there;
        }
        const auto reader = readers.emplace(key, supervisor::LogReader(path, earlier)).first;
        if (!push_next(key, reader->second)) readers.erase(reader);
    }

    bool push_next(const std::string& id, supervisor::LogReader& reader) {
        supervisor::LogLine line;
        if (!reader.next(line)) return false;
        const auto time = supervisor::parse_log_time(line.time).value_or(sys::WallTime{});
        heads.push({{.container_id = id.substr(0, id.find('/')),
                     .time = time.time_since_epoch().count(),
                     .error = line.stream == supervisor::Stream::err,
                     .partial = line.continued,
                     .text = std::string(line.bytes)},
                    id});
        return true;
    }
};

ContainerLogs::ContainerLogs(bool follow) : impl_(std::make_unique<Impl>()) {
    if (follow) impl_->watcher.emplace();
}

ContainerLogs::~ContainerLogs() = default;

void ContainerLogs::add(const std::string& container_id, const std::string& path, const LogRange& range) {
    if (impl_->readers.contains(container_id)) return;
    if (impl_->watcher) {
        try {
            impl_->watcher->watch_directory(folder_of(path));
        } catch (const Error&) {
            return;  // removed since it was listed: there is nothing to read
        }
    }
    supervisor::LogQuery query{.tail = range.tail, .since = bound(range.since), .until = bound(range.until)};
    impl_->add_previous(container_id, engine::previous_log(path), query);
    auto& reader = impl_->readers.emplace(container_id, supervisor::LogReader(path, query)).first->second;
    impl_->push_next(container_id, reader);
}

void ContainerLogs::remove(const std::string& container_id) {
    impl_->readers.erase(container_id);
}

std::optional<LogEntry> ContainerLogs::next() {
    if (impl_->heads.empty()) {
        // Quiet first, then a look at all: what comes after the look is heard.
        if (!impl_->watcher) return std::nullopt;
        impl_->watcher->drain();
        for (auto& [id, reader] : impl_->readers) impl_->push_next(id, reader);
        if (impl_->heads.empty()) return std::nullopt;
    }
    auto head = impl_->heads.top();
    impl_->heads.pop();
    if (const auto reader = impl_->readers.find(head.source); reader != impl_->readers.end())
        impl_->push_next(reader->first, reader->second);
    return std::move(head.entry);
}

int ContainerLogs::fd() const {
    return impl_->watcher ? impl_->watcher->fd().get() : -1;
}

}  // namespace compose
