#include "engine/exec_session.hpp"

#include "base/error.hpp"
#include "base/ids.hpp"
#include "supervisor/client.hpp"

namespace compose::engine {
namespace {

class SupervisedExec : public ExecSession {
public:
    SupervisedExec(store::Layout layout, std::string project, supervisor::Client client, bool detached,
                   supervisor::Client::Exec exec)
        : layout_(std::move(layout)),
          project_(std::move(project)),
          client_(std::move(client)),
          detached_(detached),
          exec_(std::move(exec)) {}

    [[nodiscard]] int terminal() const override { return exec_.terminal.get(); }
    [[nodiscard]] int wait() override { return detached_ ? 0 : client_.wait_exec(exec_.exec_id); }
    void signal(int number) override {
        // The other connection is busy waiting.
        if (auto client = supervisor::Client::connect(layout_, project_)) client->signal_exec(exec_.exec_id, number);
    }

private:
    store::Layout layout_;
    std::string project_;
    supervisor::Client client_;
    bool detached_;
    supervisor::Client::Exec exec_;
};

class SupervisedSubscription : public Subscription {
public:
    explicit SupervisedSubscription(supervisor::Client client) : client_(std::move(client)) { client_.subscribe(); }

    [[nodiscard]] std::optional<ContainerChange> next(std::chrono::milliseconds timeout) override {
        const std::optional<supervisor::StateChange> change = client_.next(timeout);
        if (!change) return std::nullopt;
        ContainerChange result;
        result.id = change->id;
        result.state = to_string(change->state);
        result.health = change->health == store::Health::none ? "" : to_string(change->health);
        result.exit_code = change->exit_code;
        result.removed = change->removed;
        return result;
    }
    [[nodiscard]] bool ended() const override { return client_.closed(); }
    [[nodiscard]] int fd() const override { return client_.fd().get(); }

private:
    supervisor::Client client_;
};

}  // namespace

std::unique_ptr<ExecSession> open_exec(const store::Layout& layout, const std::string& project,
                                       const ExecOptions& options, int in, int out, int err) {
    auto client = supervisor::Client::connect(layout, project);
    if (!client) throw make_error(ErrorKind::not_found, "container {} is not running", short_id(options.container_id));
    supervisor::ExecRequest request;
    request.container_id = options.container_id;
    request.detach = options.detach;
    request.process.args = options.command;
    request.process.env = options.environment;
    request.process.user = options.user;
    request.process.cwd = options.working_dir;
    request.process.privileged = options.privileged;
    request.process.terminal = options.terminal;
    request.process.rows = options.rows;
    request.process.columns = options.columns;
    // With a terminal there is nothing to pass: the pty's slave is all three.
    std::vector<sys::FdRef> stdio;
    if (!options.terminal) stdio = {sys::FdRef(in), sys::FdRef(out), sys::FdRef(err)};
    auto exec = client->exec(request, stdio);
    return std::make_unique<SupervisedExec>(layout, project, std::move(*client), options.detach, std::move(exec));
}

std::unique_ptr<Subscription> open_subscription(const store::Layout& layout, const std::string& project) {
    auto client = supervisor::Client::connect(layout, project);
    if (!client) return nullptr;
    return std::make_unique<SupervisedSubscription>(std::move(*client));
}

}  // namespace compose::engine
