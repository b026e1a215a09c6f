#include "image/hashing_pipe.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "image/decompress.hpp"
#include "sys/poll.hpp"

namespace compose::image {

namespace {

constexpr std::size_t kBuffer = std::size_t{512} << 10U;
constexpr std::size_t kMaxQueued = 8;

/// Reads a descriptor that may be a pipe nobody writes to: `stop` becoming readable ends the wait.
class FdSource final : public ByteSource {
public:
    FdSource(sys::FdRef fd, sys::FdRef stop) : fd_(fd), stop_(stop), buffer_(kBuffer) {}

    std::string_view peek() override {
        while (taken_ == filled_ && !ended_) fill();
        return {buffer_.data() + taken_, filled_ - taken_};
    }
    void consume(std::size_t size) override { taken_ += size; }

private:
    void fill() {
        sys::PollItem items[2];
        items[0].fd = fd_;
        items[1].fd = stop_;
        if (!sys::poll(items, std::nullopt)) return;
        if (items[1].readable) throw Error("reading was given up");
        const auto size = sys::read_some(fd_, buffer_);
        if (!size) return;
        taken_ = 0;
        filled_ = *size;
        ended_ = *size == 0;
    }

    sys::FdRef fd_, stop_;
    std::vector<char> buffer_;
    std::size_t taken_ = 0, filled_ = 0;
    bool ended_ = false;
};

}  // namespace

struct HashingPipe::Impl {
    explicit Impl(sys::FdRef input) : fd(input), stop(sys::make_pipe()) {}

    void run() {
        std::exception_ptr failure;
        std::string result;
        try {
            FdSource source(fd, stop.read);
            const auto plain = decompress(source);
            Sha256 hash;
            for (;;) {
                auto chunk = gather(*plain);
                if (chunk.empty()) break;
                hash.update(chunk.data(), chunk.size());
                if (!push(std::move(chunk))) return;
            }
            result = hash.hex();
        } catch (...) {
            failure = std::current_exception();
        }
        const std::lock_guard guard(mutex);
        error = failure;
        digest = std::move(result);
        ended = true;
        changed.notify_all();
    }

    /// Up to a full buffer, so that small pieces (a pipe's 64 KiB) do not cost a hand-over each.
    std::vector<char> gather(ByteSource& source) {
        auto chunk = take_spare();
        chunk.clear();
        while (chunk.size() < kBuffer) {
            const auto bytes = source.peek().substr(0, kBuffer - chunk.size());
            if (bytes.empty()) break;
            chunk.insert(chunk.end(), bytes.begin(), bytes.end());
            source.consume(bytes.size());
        }
        return chunk;
    }

    std::vector<char> take_spare() {
        const std::lock_guard guard(mutex);
        if (spare.empty()) {
            std::vector<char> fresh;
            fresh.reserve(kBuffer);
            return fresh;
        }
        auto chunk = std::move(spare.back());
        spare.pop_back();
        return chunk;
    }

    /// False when nobody wants more.
    bool push(std::vector<char> chunk) {
        std::unique_lock guard(mutex);
        changed.wait(guard, [&] { return queue.size() < kMaxQueued || abandoned; });
        if (abandoned) return false;
        queue.push_back(std::move(chunk));
        changed.notify_all();
        return true;
    }

    sys::FdRef fd;
    sys::Pipe stop;
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::vector<char>> queue;
    std::vector<std::vector<char>> spare;
    std::exception_ptr error;
    std::string digest;
    bool ended = false;
    bool abandoned = false;

    std::vector<char> current;  // the taker's alone
    std::size_t taken = 0;
    std::thread thread;
};

HashingPipe::HashingPipe(sys::FdRef fd) : impl_(std::make_unique<Impl>(fd)) {
    impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

HashingPipe::~HashingPipe() {
    {
        const std::lock_guard guard(impl_->mutex);
        impl_->abandoned = true;
        impl_->changed.notify_all();
    }
    impl_->stop.write.reset();  // the read end becomes readable
    impl_->thread.join();
}

std::string_view HashingPipe::peek() {
    auto& pipe = *impl_;
    if (pipe.taken == pipe.current.size()) {
        std::unique_lock guard(pipe.mutex);
        if (pipe.current.capacity() > 0) pipe.spare.push_back(std::move(pipe.current));
        pipe.current.clear();
        pipe.taken = 0;
        pipe.changed.wait(guard, [&] { return !pipe.queue.empty() || pipe.ended; });
        if (pipe.queue.empty()) {
            if (pipe.error) std::rethrow_exception(pipe.error);
            return {};
        }
        pipe.current = std::move(pipe.queue.front());
        pipe.queue.pop_front();
        pipe.changed.notify_all();
    }
    return {pipe.current.data() + pipe.taken, pipe.current.size() - pipe.taken};
}

void HashingPipe::consume(std::size_t size) {
    impl_->taken += size;
}

std::string HashingPipe::digest() const {
    const std::lock_guard guard(impl_->mutex);
    if (!impl_->ended || impl_->error) throw Error("the stream was not read to its end");
    return impl_->digest;
}

}  // namespace compose::image
