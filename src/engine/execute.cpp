#include "engine/execute.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <queue>
#include <thread>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "engine/wait_watcher.hpp"

namespace compose::engine {
namespace {

constexpr int kGivenUp = 130;

class Executor {
public:
    Executor(const Plan& plan, ActionContext& context, const ExecuteOptions& options)
        : plan_(plan),
          context_(context),
          options_(options),
          missing_(plan.nodes.size()),
          needed_by_(plan.nodes.size()),
          left_out_(plan.nodes.size()),
          watcher_(context, options.wait_timeout) {
        context.gathers_removals = true;
        for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
            missing_[i] = plan.nodes[i].after.size();
            for (const std::size_t before : plan.nodes[i].after) needed_by_[before].push_back(i);
            if (missing_[i] == 0) ready_.push(i);
        }
    }

    /// False: another plan is needed.
    bool run() {
        const std::stop_callback on_cancel(options_.cancel, [this] {
            {
                const std::lock_guard lock(mutex_);
                stopping_ = cancelled_ = true;
            }
            changed_.notify_all();
            watcher_.cancel("waiting was given up", kGivenUp);
        });
        const auto workers =
            std::min<std::size_t>(static_cast<std::size_t>(std::max(options_.parallel, 1)), plan_.nodes.size());
        std::vector<std::jthread> threads;
        for (std::size_t i = 1; i < workers; ++i) threads.emplace_back([this] { work(); });
        work();
        threads.clear();  // joins
        delete_last_rows();
        const std::lock_guard lock(mutex_);
        report();
        return !outdated_;
    }

private:
    /// Whatever else went wrong: the folders of these containers are gone.
    void delete_last_rows() {
        try {
            Session session(context_.layout, context_.project);
            delete_rows(session);
        } catch (const Error& error) {
            add_error(error, {});
        }
    }

    void delete_rows(Session& session) {
        if (!context_.removed.empty()) context_.removed.flush(session.store(), context_.generation);
    }

    void work() {
        Session session(context_.layout, context_.project, options_.cancel);
        std::unique_lock lock(mutex_);
        for (;;) {
            const auto has_work = [&] { return finished() || (!stopping_ && !(ready_.empty() && ended_.empty())); };
            if (!has_work() && !context_.trash.empty()) {
                lock.unlock();
                empty_trash();
                lock.lock();
                continue;
            }
            changed_.wait(lock, has_work);
            if (finished()) break;
            // Every process that ends makes the kernel write what its file system has to: removals wait for the last.
            auto& queue = ready_.empty() ? ended_ : ready_;
            const std::size_t node = queue.top();
            queue.pop();
            ++running_;
            lock.unlock();
            if (&queue != &ready_ || !end_container(node, session)) perform_node(node, session);
            lock.lock();
        }
        lock.unlock();
        while (empty_trash()) {
        }
    }

    /// One folder of it; false when there is none.
    bool empty_trash() {
        try {
            return context_.trash.empty_one();
        } catch (const Error& error) {
            const std::lock_guard lock(mutex_);
            add_error(error, {});
            return true;
        }
    }

    /// The first half of a removal that kills; false for everything else.
    bool end_container(std::size_t node, Session& session) {
        const auto* removal = std::get_if<RemoveContainer>(&plan_.nodes[node].action);
        if (removal == nullptr || !removal->kill) return false;
        if (attempt(node, [&] { end_first(*removal, context_, session); })) {
            const std::lock_guard lock(mutex_);
            --running_;
            ended_.push(node);
        }
        changed_.notify_all();
        return true;
    }

    void perform_node(std::size_t node, Session& session) {
        const Action& action = plan_.nodes[node].action;
        log::debug("{}", to_string(action));
        const auto wait_for = [&](const auto& what) {
            watcher_.add(what, [this, node](std::optional<Error> error) { complete(node, std::move(error)); });
        };
        const auto visit = [&](const auto& one) {
            using Kind = std::decay_t<decltype(one)>;
            if constexpr (std::is_same_v<Kind, WaitContainer> || std::is_same_v<Kind, Delay>) {
                wait_for(one);
                return false;
            } else if constexpr (std::is_same_v<Kind, RemoveContainer>) {
                one.kill ? remove_ended(one, context_, session) : perform(one, context_, session);
            } else {
                // Only removals among themselves do not need each other's names, addresses and volumes free.
                if constexpr (!std::is_same_v<Kind, StopContainer>) delete_rows(session);
                perform(one, context_, session);
            }
            return true;
        };
        bool over = false;
        if (attempt(node, [&] { over = std::visit(visit, action); }) && over) complete(node, std::nullopt);
    }

    /// True when it did not throw; else the node is complete.
    template <class Step>
    bool attempt(std::size_t node, const Step& step) {
        const Action& action = plan_.nodes[node].action;
        try {
            step();
            return true;
        } catch (const Outdated&) {
            abandon();
        } catch (ProjectError& error) {  // it says where in the file: no more words
            context_.tell(Event::Status::error, event_id(action), "Error", error.what());
            complete(node, error, std::current_exception());
        } catch (Error& error) {
            if (is_cancelled(error)) {
                complete(node, error);
                return false;
            }
            context_.tell(Event::Status::error, event_id(action), "Error", error.what());
            complete(node, naming(action, error));
        } catch (const std::exception& error) {
            context_.tell(Event::Status::error, event_id(action), "Error", error.what());
            complete(node, Error(event_id(action) + ": " + error.what()));
        }
        return false;
    }

    /// The error says which object it is about.
    static Error naming(const Action& action, Error& error) {
        std::string subject = event_id(action);  // "Container p-web-1"
        const std::string name = subject.substr(subject.find(' ') + 1);
        subject[0] = static_cast<char>(subject[0] - 'A' + 'a');
        if (std::string_view(error.what()).find(name) == std::string_view::npos) error.add_context(subject);
        return error;
    }

    /// Another plan takes over from here; what runs now still ends.
    void abandon() {
        {
            const std::lock_guard lock(mutex_);
            --running_;
            stopping_ = outdated_ = true;
        }
        changed_.notify_all();
        watcher_.cancel("waiting was given up", kGivenUp);
    }

    void complete(std::size_t node, std::optional<Error> error, std::exception_ptr original = {}) {
        bool give_up = false;
        {
            const std::lock_guard lock(mutex_);
            --running_;
            ++done_;
            if (error) {
                cut_short_ = cut_short_ || is_cancelled(*error);
                // Waits that were given up because of an earlier error say nothing new.
                if (!stopping_ || error->exit_code() != kGivenUp) add_error(*error, std::move(original));
                if (std::holds_alternative<RunProvider>(plan_.nodes[node].action))
                    leave_out_after(node);
                else if (!options_.keep_going)
                    give_up = !std::exchange(stopping_, true);
            }
            if (!error || options_.keep_going)
                for (const std::size_t next : needed_by_[node])
                    if (--missing_[next] == 0) ready_.push(next);
        }
        changed_.notify_all();
        if (give_up) watcher_.cancel("waiting was given up", kGivenUp);
    }

    /// It was asked to stop, and what the node waited for goes on without it.
    [[nodiscard]] bool is_cancelled(const Error& error) const {
        return options_.cancel.stop_requested() && error.exit_code() == kGivenUp;
    }

    void add_error(const Error& error, std::exception_ptr original) {
        errors_.push_back(error);
        originals_.push_back(std::move(original));
    }

    /// What waits for it, directly or not, counts as done: none of it has begun.
    void leave_out_after(std::size_t node) {
        std::vector<std::size_t> open{node};
        while (!open.empty()) {
            const std::size_t one = open.back();
            open.pop_back();
            for (const std::size_t next : needed_by_[one]) {
                if (left_out_[next]) continue;
                left_out_[next] = true;
                ++done_;
                open.push_back(next);
            }
        }
    }

    [[nodiscard]] bool finished() const { return done_ == plan_.nodes.size() || (stopping_ && running_ == 0); }

    void report() {
        if (cut_short_ || (cancelled_ && done_ < plan_.nodes.size()))
            throw make_error("canceled").with_exit_code(kGivenUp);
        if (errors_.empty()) return;
        Error first = errors_.front();
        std::vector<std::string> others;
        for (std::size_t i = 1; i < errors_.size(); ++i)
            if (errors_[i].what() != std::string_view(first.what())) others.emplace_back(errors_[i].what());
        if (others.empty() && originals_.front()) std::rethrow_exception(originals_.front());
        if (others.empty()) throw first;
        Error all(std::string(first.what()) + "; " + join(others, "; "), first.kind());
        all.with_exit_code(first.exit_code()).with_code(first.code()).with_hint(first.hint());
        throw all;
    }

    const Plan& plan_;
    ActionContext& context_;
    const ExecuteOptions& options_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::size_t> missing_;  // how many predecessors are not done
    std::vector<std::vector<std::size_t>> needed_by_;
    using Queue = std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>>;
    Queue ready_;
    Queue ended_;  // removals whose container runs no more
    std::size_t running_ = 0, done_ = 0;
    bool stopping_ = false, cancelled_ = false, cut_short_ = false, outdated_ = false;
    std::vector<bool> left_out_;  // because a provider failed
    std::vector<Error> errors_;
    std::vector<std::exception_ptr> originals_;  // beside the errors; null: the error says all
    WaitWatcher watcher_;                        // the last: its thread must end before the rest goes
};

}  // namespace

bool execute(const Plan& plan, ActionContext& context, const ExecuteOptions& options) {
    for (const Event& note : plan.notes) context.tell(note.status, note.id, note.text);
    if (!context.dry_run) context.trash.take_leftovers();
    return (plan.nodes.empty() && context.trash.empty()) || Executor(plan, context, options).run();
}

}  // namespace compose::engine
