#include "supervisor/log_compressor.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "supervisor/log_file.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"
#include "sys/spool.hpp"

namespace compose::supervisor {
namespace {

constexpr std::size_t kPiece = 64 * 1024;  // half a millisecond's work
constexpr int kShare = 8;                  // it takes this part of the loop's time
constexpr std::chrono::nanoseconds kAtLeast = std::chrono::milliseconds(1);

}  // namespace

void LogCompressor::look_at(const std::string& path) {
    waiting_.insert(path);
    if (!timer_) step_later(kAtLeast);
}

void LogCompressor::forget(const std::string& path) {
    waiting_.erase(path);
    if (job_ && job_->path == path) give_up();
}

void LogCompressor::step_later(std::chrono::nanoseconds delay) {
    timer_ = loop_.after(delay, [this] {
        timer_.cancel();
        const auto start = sys::monotonic_now();
        step();
        if (!idle()) step_later(std::max((sys::monotonic_now() - start) * kShare, kAtLeast));
    });
}

void LogCompressor::step() {
    try {
        if (!job_) begin_next();
        if (job_) compress_piece();
    } catch (const Error& error) {
        // It stays as it is, which is readable too.
        log::debug("compress logs: {}", error.what());
        give_up();
    }
}

void LogCompressor::begin_next() {
    const std::string path = waiting_.extract(waiting_.begin()).value();
    // The youngest first: it has the longest to live.
    const int count = count_log_files(path);
    for (int age = 1; age < count; ++age) {
        auto source = sys::open_to_read(log_file_name(path, age));
        if (!source) continue;
        job_.emplace(Job{path, std::move(*source), sys::create_file(unfinished_log_name(path), 0600), {}, 0});
        return;
    }
}

void LogCompressor::compress_piece() {
    if (!sys::facts_of(job_->source).linked) {
        const auto path = job_->path;
        give_up();
        return look_at(path);
    }
    std::string raw(kPiece, '\0'), packed;
    raw.resize(sys::read_at(job_->source, raw, job_->read));
    job_->read += raw.size();
    if (!raw.empty()) job_->writer.add(raw, packed);
    if (raw.empty()) job_->writer.finish(packed);
    sys::write_all(job_->target, packed);
    if (raw.empty()) finish();
}

void LogCompressor::finish() {
    const auto job = std::move(*job_);
    job_.reset();
    const auto unfinished = unfinished_log_name(job.path);
    // It may have got older meanwhile.
    const auto own = sys::facts_of(job.source).inode;
    const int count = count_log_files(job.path);
    for (int age = 1; age < count; ++age) {
        const auto name = log_file_name(job.path, age);
        const auto there = sys::open_to_read(name);
        if (!there || sys::facts_of(*there).inode != own) continue;
        sys::rename_over(unfinished, compressed_log_name(job.path, age));
        sys::remove_file(name);
        return look_at(job.path);
    }
    sys::remove_file(unfinished);
}

void LogCompressor::give_up() {
    if (!job_) return;
    const auto unfinished = unfinished_log_name(job_->path);
    job_.reset();
    try {
        sys::remove_file(unfinished);
    } catch (const Error& error) {
        log::debug("remove {}: {}", unfinished, error.what());
    }
}

}  // namespace compose::supervisor
