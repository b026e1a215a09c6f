#include <exception>
#include <mutex>
#include <thread>

#include "base/error.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/pick.hpp"
#include "cli/project.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::vector<std::string> services;
    bool down = false;
};

/// Waits for each in a thread of its own, `on_end` is called for one after the other.
class Waits {
public:
    Waits(Context& context, const std::vector<ContainerView>& views, bool first_only)
        : views_(views), first_only_(first_only), quiet_(make_progress({.mode = ProgressMode::quiet})) {
        codes_.resize(views.size());
        for (std::size_t i = 0; i < views.size(); ++i)
            threads_.emplace_back(
                [this, i, containers = std::shared_ptr<Containers>(context.make_containers(*quiet_))] {
                    wait(i, *containers);
                });
    }

    /// The code of the first service; of the first to end when only one is waited for.
    int result(const std::stop_token& cancel) {
        const std::stop_callback stop(cancel, [this] { stop_.request_stop(); });
        for (auto& thread : threads_) thread.join();
        if (failure_ && ended_ == 0) std::rethrow_exception(failure_);
        if (first_only_) return first_code_;
        for (const auto& code : codes_)
            if (code) return *code;
        return 0;
    }

private:
    void wait(std::size_t i, Containers& containers) {
        try {
            const int code = containers.wait(views_[i].id, stop_.get_token());
            const std::lock_guard lock(mutex_);
            if (first_only_ && ended_ > 0) return;
            print(fmt::format("container \"{}\" exited with status code {}\n", views_[i].id, code));
            codes_[i] = code;
            if (ended_++ == 0) first_code_ = code;
        } catch (...) {
            const std::lock_guard lock(mutex_);
            if (!failure_) failure_ = std::current_exception();
        }
        if (first_only_) stop_.request_stop();
    }

    const std::vector<ContainerView>& views_;
    bool first_only_;
    std::unique_ptr<Progress> quiet_;
    std::mutex mutex_;
    std::stop_source stop_;
    std::vector<std::optional<int>> codes_;
    int ended_ = 0, first_code_ = 0;
    std::exception_ptr failure_;
    std::vector<std::thread> threads_;
};

int run(Context& context, const Args& args) {
    const auto project = project_name(context);
    return run_interruptible(context, [&](const std::stop_token& cancel) {
        std::vector<ContainerView> views;
        for (const auto& service : args.services)  // in the order in which they were named
            for (auto& view : replicas_of(context, project, {service})) views.push_back(std::move(view));
        if (views.empty())
            throw make_error(ErrorKind::not_found, "no container found for project \"{}\"", project)
                .with_hint("'compose up' makes them");
        int code = 0;
        {
            Waits waits(context, views, args.down);
            code = waits.result(cancel);
        }
        if (args.down) context.engine("down").down(project, nullptr, {}, cancel);
        return code;
    });
}

}  // namespace

Run define_wait(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text("Waits until the containers of the services have ended; exits as the first service's did.");
    arguments.rest("SERVICE", args->services, true);
    arguments.flag("--down-project", args->down, "Take the project down when the first container ends");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
