#include "supervisor/output_log.hpp"

#include <algorithm>
#include <atomic>

#include "base/error.hpp"
#include "base/log.hpp"
#include "supervisor/log_file.hpp"
#include "sys/file.hpp"

namespace compose::supervisor {
namespace {

constexpr std::uint64_t kMagic = 0x31474f4c504d4f43;  // "COMPLOG1"
constexpr std::uint64_t kFreeEvery = 1 << 20;
constexpr std::size_t kTakeAtOnce = 64 * 1024;

// Death stops this process between two instructions, so only the compiler must be kept from moving stores about.
void publish(std::uint32_t& flag, std::uint32_t value) {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    std::atomic_ref<std::uint32_t>(flag).store(value, std::memory_order_release);
    std::atomic_signal_fence(std::memory_order_seq_cst);
}

}  // namespace

OutputLog::Source OutputLog::make_source(sys::Fd out, sys::Fd err) {
    Source source;
    source.pipe[0] = std::move(out);
    source.pipe[1] = std::move(err);
    for (auto& spool : source.spool) spool = sys::make_memory_file("compose-output");
    source.page = sys::make_memory_file("compose-log-state");
    return source;
}

OutputLog::OutputLog(std::string path, Source source, LogLimits limits)
    : path_(std::move(path)), source_(std::move(source)), limits_(std::move(limits)), page_(source_.page) {
    for (const auto at : {0, 1}) ended_[at] = !source_.pipe[at];
    open_log();
    if (state().magic == kMagic)
        recover();
    else
        state().magic = kMagic;
    cut_torn_tail();
}

void OutputLog::open_log() {
    log_ = sys::open_to_append(path_);
    const auto facts = sys::facts_of(log_);
    size_ = facts.size;
    inode_ = facts.inode;
}

void OutputLog::recover() {
    auto& shared = state();
    if (shared.active == 0 || shared.stream > 1) return;
    if (shared.inode == inode_) {
        if (size_ == shared.size_before + shared.length) {
            shared.consumed[shared.stream] = shared.consumed_after;
            shared.dropped = shared.dropped_after;
        } else if (size_ > shared.size_before && sys::truncate_file(log_, shared.size_before) == 0) {
            size_ = shared.size_before;
        }
    }
    publish(shared.active, 0);
}

void OutputLog::cut_torn_tail() {
    // After a power loss the file may end anywhere. Records are short, so the last whole one is near.
    if (size_ == 0) return;
    std::vector<char> tail(std::min<std::uint64_t>(size_, 2 * kLogPiece));
    const auto start = size_ - tail.size();
    const auto n = sys::read_at(log_, tail, start);
    if (n == 0 || tail[n - 1] == '\n') return;
    const auto feed = std::string_view(tail.data(), n).rfind('\n');
    const auto keep = feed == std::string_view::npos ? start : start + feed + 1;
    if (sys::truncate_file(log_, keep) == 0) size_ = keep;
}

void OutputLog::rotate() {
    // Up to the first free name only: who died between two of these left a gap, and with it closed the files behind it
    // would be pushed out one too early each time.
    const int oldest = limits_.files - 1;
    int age = std::min(1, oldest);
    while (age < oldest && log_file_exists(path_, age)) ++age;
    // Its name goes with it, so that who follows the log sees another file; of one alone nothing is kept.
    remove_log_file(path_, age);
    while (age > 0) age_log_file(path_, --age);
    open_log();
    if (limits_.rotated) limits_.rotated();
}

OutputLog::Step OutputLog::step(Stream stream, LogBuffers& buffers) {
    const auto at = index(stream);
    if (ended_[at]) return Step::ended;
    const auto before = tap_ ? sys::spool_position(source_.spool[at]) : 0;
    const auto got = sys::spool_from_pipe(source_.pipe[at], source_.spool[at], kTakeAtOnce);
    if (got == sys::Spooled::nothing) return Step::idle;
    if (got == sys::Spooled::end) {
        finish(stream, buffers);
        return Step::ended;
    }
    if (tap_) {
        const auto taken = std::min<std::uint64_t>(sys::spool_position(source_.spool[at]) - before, buffers.raw.size());
        const auto n = sys::read_at(source_.spool[at], {buffers.raw.data(), taken}, before);
        tap_(stream, {buffers.raw.data(), n});
    }
    flush(stream, buffers);
    return Step::moved;
}

void OutputLog::flush(Stream stream, LogBuffers& buffers) {
    const auto at = index(stream);
    blocked_[at] = false;
    for (;;) {
        const auto consumed = state().consumed[at];
        const auto available = sys::spool_position(source_.spool[at]) - consumed;
        const auto want = std::min<std::uint64_t>(available, buffers.raw.size());
        if (want == 0) break;
        const auto n = sys::read_at(source_.spool[at], {buffers.raw.data(), want}, consumed);
        buffers.text.clear();
        const auto now = sys::wall_now();
        if (state().dropped > 0) buffers.text += drop_marker(state().dropped, now);
        const bool last = ended_[at] && n == available;
        // Files are turned between two batches: none takes more than one line too much.
        const auto room =
            size_ < limits_.file_size ? limits_.file_size - size_ : std::max<std::uint64_t>(limits_.file_size, 1);
        const auto used = format_log({buffers.raw.data(), n}, stream, now, last, buffers.text, room);
        if (used == 0) break;
        if (!write_batch(stream, used, buffers)) {
            blocked_[at] = true;
            drop_excess(stream);
            break;
        }
    }
    release_memory(stream);
}

void OutputLog::finish(Stream stream, LogBuffers& buffers) {
    const auto at = index(stream);
    ended_[at] = true;
    flush(stream, buffers);
}

bool OutputLog::write_batch(Stream stream, std::size_t used, LogBuffers& buffers) {
    auto& shared = state();
    const auto at = index(stream);
    try {
        if (size_ >= limits_.file_size) rotate();
    } catch (const Error& error) {
        log::debug("rotate {}: {}", path_, error.what());
        return false;
    }
    shared.stream = static_cast<std::uint32_t>(at);
    shared.inode = inode_;
    shared.size_before = size_;
    shared.length = buffers.text.size();
    shared.consumed_after = shared.consumed[at] + used;
    shared.dropped_after = 0;
    publish(shared.active, 1);
    const bool done = append(buffers.text);
    if (done) {
        shared.consumed[at] = shared.consumed_after;
        shared.dropped = 0;
    }
    publish(shared.active, 0);
    return done;
}

bool OutputLog::append(const std::string& text) {
    const auto n = sys::append_some(log_, text);
    if (n == static_cast<std::int64_t>(text.size())) {
        size_ += text.size();
        return true;
    }
    // All or nothing: half a record would be read as another one's start.
    if (n > 0 && sys::truncate_file(log_, size_) != 0) size_ += static_cast<std::uint64_t>(n);
    return false;
}

void OutputLog::drop_excess(Stream stream) {
    auto& shared = state();
    const auto at = index(stream);
    const auto backlog = sys::spool_position(source_.spool[at]) - shared.consumed[at];
    if (backlog <= limits_.backlog) return;
    shared.dropped += backlog;
    shared.consumed[at] += backlog;
}

void OutputLog::release_memory(Stream stream) {
    const auto at = index(stream);
    const auto consumed = state().consumed[at];
    if (consumed - freed_[at] < kFreeEvery) return;
    constexpr std::uint64_t kPage = 4096;
    sys::free_spool(source_.spool[at], consumed / kPage * kPage);
    freed_[at] = consumed;
}

}  // namespace compose::supervisor
