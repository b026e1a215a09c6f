#include "engine/task_graph.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "base/dag.hpp"
#include "base/error.hpp"

namespace compose::engine {
namespace {

class TaskRunner {
public:
    TaskRunner(const std::vector<std::vector<std::size_t>>& needs, std::stop_source& stop,
               const std::function<void(std::size_t)>& run)
        : needs_(needs), stop_(stop), run_(run) {
        for (std::size_t i = 0; i < needs.size(); ++i) waiting_.insert(waiting_.end(), i);
    }

    void run(int parallel) {
        const auto workers = std::min<std::size_t>(needs_.size(), static_cast<std::size_t>(std::max(parallel, 1)));
        {
            std::vector<std::jthread> threads;
            for (std::size_t i = 1; i < workers; ++i) threads.emplace_back([this] { work(); });
            work();
        }
        if (failure_) std::rethrow_exception(failure_);
    }

private:
    void work() {
        std::unique_lock lock(mutex_);
        for (;;) {
            if (failure_ || waiting_.empty()) return;
            const auto next = ready();
            if (!next) {
                changed_.wait(lock);
                continue;
            }
            waiting_.erase(*next);
            lock.unlock();
            std::exception_ptr problem;
            try {
                run_(*next);
            } catch (...) {
                problem = std::current_exception();
            }
            lock.lock();
            done_.insert(*next);
            // What fails first is why; the others fail since they were stopped.
            if (problem && !failure_) {
                failure_ = problem;
                stop_.request_stop();
            }
            changed_.notify_all();
        }
    }

    [[nodiscard]] std::optional<std::size_t> ready() const {
        for (const auto task : waiting_)
            if (std::all_of(needs_[task].begin(), needs_[task].end(), [&](auto need) { return done_.contains(need); }))
                return task;
        return std::nullopt;
    }

    const std::vector<std::vector<std::size_t>>& needs_;
    std::stop_source& stop_;
    const std::function<void(std::size_t)>& run_;
    std::set<std::size_t> waiting_, done_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::exception_ptr failure_;
};

}  // namespace

void run_tasks(const std::vector<std::vector<std::size_t>>& needs, int parallel, std::stop_source& stop,
               const std::function<void(std::size_t)>& run) {
    if (!topological_order(needs).cycle.empty()) throw Error("tasks need each other");
    TaskRunner(needs, stop, run).run(parallel);
}

}  // namespace compose::engine
