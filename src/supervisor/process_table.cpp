#include "supervisor/process_table.hpp"

#include "sys/clock.hpp"
#include "sys/process_tree.hpp"
#include "sys/reaper.hpp"

namespace compose::supervisor {
namespace {

// What is told of a process whose end nobody can tell any more.
constexpr int kUnknownExit = 255;

}  // namespace

void ProcessTable::expect(pid_t pid, Handler handler) {
    entries_.insert_or_assign(pid, Entry{std::move(handler), {}});
}

void ProcessTable::adopt(pid_t pid, sys::FdRef pidfd, Handler handler) {
    auto& entry = entries_.insert_or_assign(pid, Entry{std::move(handler), {}}).first->second;
    if (sys::parent_of(pid) == sys::parent_pid()) return;
    entry.watch = loop_.on_readable(pidfd, [this, pid, pidfd] {
        const auto status = sys::exit_status_of(pidfd);
        deliver({pid, status.value_or(sys::ExitStatus{kUnknownExit, 0}), sys::wall_now().time_since_epoch().count()});
    });
}

void ProcessTable::forget(pid_t pid) {
    entries_.erase(pid);
}

void ProcessTable::deliver(const ChildExit& exit) {
    const auto found = entries_.find(exit.pid);
    if (found != entries_.end()) {
        const auto entry = std::move(found->second);
        entries_.erase(found);
        entry.handler(exit);
    }
    keeper_.ack(exit.pid);
}

}  // namespace compose::supervisor
