#include "image/fetch.hpp"

#include <cerrno>
#include <exception>
#include <optional>
#include <thread>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "image/connection_error.hpp"
#include "image/layer.hpp"
#include "sys/clock.hpp"
#include "sys/dir.hpp"
#include "sys/fd.hpp"
#include "sys/file.hpp"
#include "sys/poll.hpp"
#include "sys/tree.hpp"

namespace compose::image {

namespace {

constexpr std::size_t kBuffer = std::size_t{256} << 10U;
constexpr std::int64_t kReportEvery = std::int64_t{1} << 20U;
// A server that sends less than this in one stall timeout might as well be silent.
constexpr std::int64_t kLeastProgress = 4096;
constexpr int kMaxConnections = 500;

/// Unpacks what is fed to it on a thread of its own.
class Unpacking {
public:
    Unpacking(const std::string& layers_dir, bool lowest) : layer_(layers_dir, lowest), pipe_(sys::make_pipe()) {
        sys::widen_pipe(pipe_.write);
        thread_ = std::thread([this] {
            try {
                layer_.read(pipe_.read);
            } catch (...) {
                failure_ = std::current_exception();
            }
            pipe_.read.reset();  // whoever feeds it hears of the end
        });
    }
    ~Unpacking() { join(); }
    Unpacking(const Unpacking&) = delete;
    Unpacking& operator=(const Unpacking&) = delete;

    void feed(std::string_view bytes) {
        if (broken_) return;
        try {
            sys::write_all(pipe_.write, bytes);
        } catch (const Error& error) {
            // It has failed, and why is told at the end: first the bytes must prove to be the right ones.
            if (error.code() != EPIPE) throw;
            broken_ = true;
        }
    }
    PendingLayer& finish() {
        join();
        if (failure_) std::rethrow_exception(failure_);
        return layer_;
    }

private:
    void join() {
        pipe_.write.reset();
        if (thread_.joinable()) thread_.join();
    }

    PendingLayer layer_;
    sys::Pipe pipe_;
    std::thread thread_;
    std::exception_ptr failure_;
    bool broken_ = false;
};

/// Downloads what is missing of one blob.
class Download {
public:
    using Feed = std::function<void(std::string_view)>;
    Download(Registry& registry, const Descriptor& wanted, PartialBlob& blob, const Feed& feed,
             const FetchProgress& progress)
        : registry_(registry), wanted_(wanted), blob_(blob), feed_(feed), progress_(progress) {}

    void run() {
        if (blob_.size() > wanted_.size) blob_.restart();
        if (blob_.size() > 0) {
            blob_.replay(feed_);
            log::debug("{}: {} of {} bytes were here", wanted_.digest, blob_.size(), wanted_.size);
        }
        int failures = 0;
        for (int connection = 0; blob_.size() < wanted_.size; ++connection) {
            const auto before = blob_.size();
            try {
                receive();
            } catch (const ConnectionError& error) {
                failures = blob_.size() > before ? 0 : failures + 1;
                if (failures + 1 >= registry_.retry().attempts || connection >= kMaxConnections) throw;
                log::debug("{}: {}, again from {}", wanted_.digest, error.what(), blob_.size());
                if (failures > 0) registry_.interrupt().sleep(pause(failures));
            }
        }
    }

private:
    [[nodiscard]] std::chrono::milliseconds pause(int failures) const {
        return std::min(registry_.retry().first_delay * (1 << std::min(failures, 8)), registry_.retry().longest);
    }

    void receive() {
        auto reply = registry_.open_blob(wanted_.digest, blob_.size(), version_);
        version_ = reply.version;
        const auto expected = static_cast<std::uint64_t>(wanted_.size - reply.start);
        if (reply.length && *reply.length != expected)
            throw make_error(ErrorKind::invalid, "the manifest says {} bytes, the registry says {}", wanted_.size,
                             static_cast<std::uint64_t>(reply.start) + *reply.length);
        auto skip = blob_.size() - reply.start;  // what a server sends again that can't begin in the middle
        std::vector<char> buffer(kBuffer);
        auto window_start = sys::monotonic_now();
        std::int64_t in_window = 0;
        for (;;) {
            const auto size = reply.reply.body->read(buffer);
            if (size == 0) break;
            in_window += static_cast<std::int64_t>(size);
            check_pace(window_start, in_window);
            std::string_view bytes(buffer.data(), size);
            const auto skipped = std::min<std::int64_t>(skip, static_cast<std::int64_t>(size));
            bytes.remove_prefix(static_cast<std::size_t>(skipped));
            skip -= skipped;
            take(bytes);
        }
        if (blob_.size() < wanted_.size)
            throw ConnectionError(fmt::format("the registry has sent {} of {} bytes", blob_.size(), wanted_.size));
        registry_.done(reply);
    }

    void take(std::string_view bytes) {
        if (bytes.empty()) return;
        if (blob_.size() + static_cast<std::int64_t>(bytes.size()) > wanted_.size)
            throw make_error(ErrorKind::invalid, "the registry sends more than the {} bytes that the manifest says",
                             wanted_.size);
        blob_.append(bytes);
        feed_(bytes);
        if (blob_.size() - reported_ >= kReportEvery) {
            reported_ = blob_.size();
            progress_(LayerProgress::Stage::downloading, reported_);
        }
    }

    void check_pace(sys::MonotonicTime& start, std::int64_t& received) const {
        const auto now = sys::monotonic_now();
        if (now - start < registry_.stall()) return;
        if (received < kLeastProgress) throw ConnectionError("the registry sends next to nothing");
        start = now;
        received = 0;
    }

    Registry& registry_;
    const Descriptor& wanted_;
    PartialBlob& blob_;
    const Feed& feed_;
    const FetchProgress& progress_;
    std::int64_t reported_ = 0;
    std::string version_;  // of what has come, as the server names it
};

StoredLayer commit_layer(PendingLayer& pending, const LayerJob& job, std::vector<std::string>& warnings) {
    if (pending.layer().diff_id != job.diff_id)
        throw make_error(ErrorKind::invalid, "the image's config says that it unpacks to {}, but it is {}", job.diff_id,
                         pending.layer().diff_id);
    auto layer = pending.commit(job.parent);
    for (auto& warning : layer.warnings) warnings.push_back(std::move(warning));
    return {.chain_id = layer.chain_id, .diff_id = job.diff_id, .size = layer.size};
}

/// The blob is here, the layer is not: a kill came between the two, or the layer lies on other ones than before.
StoredLayer unpack_blob(const StorePlace& place, const LayerJob& job, std::vector<std::string>& warnings) {
    const auto file = place.blobs.open(job.blob.digest);
    if (!file) throw make_error(ErrorKind::not_found, "blob {} is not here", job.blob.digest);
    PendingLayer pending(place.layers_dir, job.parent.empty());
    pending.read(*file);
    return commit_layer(pending, job, warnings);
}

StoredLayer store_once(const StorePlace& place, const LayerJob& job, const Interrupt& interrupt, const FillBlob& fill,
                       const FetchProgress& progress, std::vector<std::string>& warnings, bool& resumed) {
    const bool unpacked = has_layer(place.layers_dir, job.chain_id);
    StoredLayer known{.chain_id = job.chain_id, .diff_id = job.diff_id};
    PartialBlob blob(place.blobs, job.blob.digest, interrupt);
    if (blob.complete()) {
        if (has_layer(place.layers_dir, job.chain_id)) {
            progress(LayerProgress::Stage::exists, job.blob.size);
            return known;
        }
        progress(LayerProgress::Stage::finishing, job.blob.size);
        return unpack_blob(place, job, warnings);
    }
    resumed = blob.size() > 0;
    progress(LayerProgress::Stage::downloading, 0);
    std::optional<Unpacking> unpacking;
    if (!unpacked) unpacking.emplace(place.layers_dir, job.parent.empty());
    fill(blob, [&](std::string_view bytes) {
        if (unpacking) unpacking->feed(bytes);
    });
    progress(LayerProgress::Stage::finishing, job.blob.size);
    blob.verify();
    if (unpacking)
        known = commit_layer(unpacking->finish(), job, warnings);
    else
        sys::sync_file_system(sys::open_directory(place.layers_dir));
    blob.commit();
    return known;
}

}  // namespace

StoredLayer store_layer(const StorePlace& place, const LayerJob& job, const Interrupt& interrupt, const FillBlob& fill,
                        const FetchProgress& progress, std::vector<std::string>& warnings) {
    const auto forget = [&] {
        PartialBlob blob(place.blobs, job.blob.digest, interrupt);
        if (!blob.complete()) blob.restart();
    };
    return in_context([&] { return "layer " + job.blob.digest.substr(0, 19); },
                      [&] {
                          for (int round = 0;; ++round) {
                              bool resumed = false;
                              try {
                                  return store_once(place, job, interrupt, fill, progress, warnings, resumed);
                              } catch (const ConnectionError&) {
                                  throw;
                              } catch (const Error& error) {
                                  // A full disk is not to stay full because of what can't be finished.
                                  if (error.code() == ENOSPC || error.code() == EDQUOT) forget();
                                  // What an earlier attempt left may be what is wrong: once more from the beginning.
                                  if (!resumed || round > 0 || error.kind() != ErrorKind::invalid) throw;
                                  log::debug("{}: {}, from the beginning", job.blob.digest, error.what());
                                  forget();
                              }
                          }
                      });
}

StoredLayer fetch_layer(Registry& registry, const StorePlace& place, const LayerJob& job, const FetchProgress& progress,
                        std::vector<std::string>& warnings) {
    return store_layer(
        place, job, registry.interrupt(),
        [&](PartialBlob& blob, const std::function<void(std::string_view)>& feed) {
            Download(registry, job.blob, blob, feed, progress).run();
        },
        progress, warnings);
}

void fetch_blob(Registry& registry, const ContentStore& blobs, const Descriptor& wanted) {
    in_context([&] { return "blob " + wanted.digest.substr(0, 19); },
               [&] {
                   PartialBlob blob(blobs, wanted.digest, registry.interrupt());
                   if (blob.complete()) return;
                   const FetchProgress silent = [](LayerProgress::Stage, std::int64_t) {};
                   Download(
                       registry, wanted, blob, [](std::string_view) {}, silent)
                       .run();
                   blob.verify();
                   const auto path = blobs.path(wanted.digest);
                   sys::sync_file_system(sys::open_directory(path.substr(0, path.rfind('/'))));
                   blob.commit();
               });
}

std::string fetch_small(Registry& registry, const Descriptor& blob, std::size_t limit, const char* what) {
    return in_context(
        [&] { return fmt::format("{} {}", what, blob.digest.substr(0, 19)); },
        [&] {
            if (blob.size < 0 || static_cast<std::size_t>(blob.size) > limit)
                throw make_error(ErrorKind::invalid, "{} bytes are too many", blob.size);
            for (int attempt = 0;; ++attempt) {
                try {
                    auto reply = registry.open_blob(blob.digest, 0);
                    auto text = reply.reply.body->read_all(static_cast<std::size_t>(blob.size));
                    registry.done(reply);
                    if (static_cast<std::int64_t>(text.size()) != blob.size)
                        throw make_error(ErrorKind::invalid, "the manifest says {} bytes, the registry sends {}",
                                         blob.size, text.size());
                    const auto found = "sha256:" + sha256_hex(text);
                    if (found != blob.digest)
                        throw make_error(ErrorKind::invalid, "{} was asked for, but the bytes that came are {}",
                                         blob.digest, found);
                    return text;
                } catch (const ConnectionError&) {
                    if (attempt + 1 >= registry.retry().attempts) throw;
                    registry.interrupt().sleep(registry.retry().first_delay * (1 << attempt));
                }
            }
        });
}

}  // namespace compose::image
