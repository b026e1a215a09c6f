#include "sys/event_loop.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace compose::sys {

namespace asio = boost::asio;

struct EventLoop::Impl {
    // One thread only: asio may leave its locks out.
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
};

namespace {

// Shared between the Watch and the pending operation: `alive` tells the latter that the former is gone.
struct DescriptorWatch : std::enable_shared_from_this<DescriptorWatch> {
    asio::posix::stream_descriptor descriptor;
    asio::posix::descriptor_base::wait_type kind;
    EventLoop::Callback callback;
    bool alive = true;

    DescriptorWatch(asio::io_context& context, int fd, asio::posix::descriptor_base::wait_type what,
                    EventLoop::Callback run)
        : descriptor(context, fd), kind(what), callback(std::move(run)) {}

    void arm() {
        descriptor.async_wait(kind, [self = shared_from_this()](const boost::system::error_code& error) {
            if (!self->alive || error) return;
            self->callback();
            if (self->alive) self->arm();
        });
    }
    void stop() {
        alive = false;
        descriptor.release();  // the descriptor stays open: it is the caller's
    }
};

struct TimerWatch : std::enable_shared_from_this<TimerWatch> {
    asio::steady_timer timer;
    EventLoop::Callback callback;
    bool alive = true;

    TimerWatch(asio::io_context& context, EventLoop::Callback run) : timer(context), callback(std::move(run)) {}
    void arm(std::chrono::nanoseconds delay) {
        timer.expires_after(delay);
        timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
            if (self->alive && !error) self->callback();
        });
    }
    void stop() {
        alive = false;
        timer.cancel();
    }
};

struct SignalWatch : std::enable_shared_from_this<SignalWatch> {
    asio::signal_set set;
    std::function<void(int)> callback;
    bool alive = true;

    SignalWatch(asio::io_context& context, std::function<void(int)> run) : set(context), callback(std::move(run)) {}
    void arm() {
        set.async_wait([self = shared_from_this()](const boost::system::error_code& error, int signal) {
            if (!self->alive || error) return;
            self->callback(signal);
            if (self->alive) self->arm();
        });
    }
    void stop() {
        alive = false;
        boost::system::error_code ignored;
        set.cancel(ignored);
    }
};

// A handle whose end stops the watch.
template <class Watched>
std::shared_ptr<void> handle_of(std::shared_ptr<Watched> watched) {
    void* const identity = watched.get();
    return std::shared_ptr<void>(identity, [watched = std::move(watched)](void*) { watched->stop(); });
}

}  // namespace

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() = default;

EventLoop::Watch EventLoop::on_readable(FdRef fd, Callback callback) {
    auto watched = std::make_shared<DescriptorWatch>(impl_->context, fd.get(), asio::posix::descriptor_base::wait_read,
                                                     std::move(callback));
    watched->arm();
    Watch watch;
    watch.impl_ = handle_of(std::move(watched));
    return watch;
}

EventLoop::Watch EventLoop::on_writable(FdRef fd, Callback callback) {
    auto watched = std::make_shared<DescriptorWatch>(impl_->context, fd.get(), asio::posix::descriptor_base::wait_write,
                                                     std::move(callback));
    watched->arm();
    Watch watch;
    watch.impl_ = handle_of(std::move(watched));
    return watch;
}

EventLoop::Watch EventLoop::after(std::chrono::nanoseconds delay, Callback callback) {
    auto watched = std::make_shared<TimerWatch>(impl_->context, std::move(callback));
    watched->arm(delay);
    Watch watch;
    watch.impl_ = handle_of(std::move(watched));
    return watch;
}

EventLoop::Watch EventLoop::on_signals(const std::vector<int>& signals, std::function<void(int)> callback) {
    auto watched = std::make_shared<SignalWatch>(impl_->context, std::move(callback));
    for (const int signal : signals) watched->set.add(signal);
    watched->arm();
    Watch watch;
    watch.impl_ = handle_of(std::move(watched));
    return watch;
}

void EventLoop::post(Callback callback) {
    asio::post(impl_->context, std::move(callback));
}
void EventLoop::run() {
    impl_->context.run();
}
void EventLoop::stop() {
    impl_->context.stop();
}

}  // namespace compose::sys
