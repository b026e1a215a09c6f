#include "supervisor/client.hpp"

#include <algorithm>
#include <array>
#include <deque>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "supervisor/protocol.hpp"
#include "supervisor/resident.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"
#include "sys/poll.hpp"
#include "sys/private_path.hpp"
#include "sys/socket.hpp"
#include "sys/stop_fd.hpp"

namespace compose::supervisor {
namespace {

constexpr std::chrono::seconds kSpawnTimeout{60};
// So often a request is sent again after the supervisor has been killed under it.
constexpr int kMaxTries = 50;

}  // namespace

struct Client::Impl {
    store::Layout layout;
    std::string project;
    sys::Fd socket;
    std::uint64_t last_seq = 0;
    bool subscribed = false;
    std::stop_token cancel;

    struct Answer {
        Reply reply;
        std::vector<sys::Fd> fds;
    };

    [[nodiscard]] Error gone() const {
        return make_error("the supervisor of project {} ended while it worked on this", quote(project));
    }

    /// The control socket is the same one for every supervisor of this keeper: a connection waits for the next.
    bool reconnect() {
        auto fresh = sys::connect_unix(layout.control_socket(project));
        if (!fresh) {
            socket.reset();
            return false;
        }
        socket = std::move(*fresh);
        return true;
    }

    void wait_for_answer(Operation operation) {
        constexpr std::array kLong{Operation::stop, Operation::restart, Operation::kill, Operation::take_ports,
                                   Operation::wait_exec};
        if (!cancel.stop_possible() || std::find(kLong.begin(), kLong.end(), operation) == kLong.end()) return;
        const sys::StopFd stop(cancel);
        std::array<sys::PollItem, 2> items{sys::PollItem{.fd = socket}, sys::PollItem{.fd = stop.fd()}};
        while (!sys::poll(items, std::nullopt)) {
        }
        if (items[0].readable) return;
        socket.reset();  // the answer would come to the next request
        throw make_error("canceled").with_exit_code(130);
    }

    std::optional<Answer> try_call(const Request& request, const std::vector<sys::FdRef>& fds) {
        sys::Packet packet;
        try {
            sys::send_packet(socket, encode(request), fds);
            wait_for_answer(request.operation);
            if (sys::receive_packet(socket, packet) != sys::Received::packet) return std::nullopt;
        } catch (const Error& error) {
            if (error.code() == EPIPE || error.code() == ECONNRESET) return std::nullopt;
            throw;
        }
        auto message = decode_message(packet.data);
        if (message.reply && message.reply->failure) throw message.reply->failure->to_error();
        if (!message.reply || message.reply->seq != request.seq)
            throw make_error("the supervisor of project {} answered something else", quote(project));
        return Answer{std::move(*message.reply), std::move(packet.fds)};
    }

    /// Requests that may be carried out twice are sent again when the supervisor was replaced meanwhile.
    Answer call(Request request, const std::vector<sys::FdRef>& fds = {}, bool repeatable = true) {
        request.seq = ++last_seq;
        for (int i = 0; i < kMaxTries; ++i) {
            if (!socket && !reconnect()) break;
            if (auto answer = try_call(request, fds)) return std::move(*answer);
            socket.reset();
            if (!repeatable) break;
        }
        throw gone();
    }

    void call_simple(Operation operation, const std::string& id,
                     std::optional<std::chrono::nanoseconds> timeout = std::nullopt) {
        Request request;
        request.operation = operation;
        request.id = id;
        request.timeout = timeout;
        call(std::move(request));
    }

    Streams call_attach(const std::string& id, bool input, bool begin) {
        Request request;
        request.operation = Operation::attach;
        request.id = id;
        request.input = input;
        request.begin = begin;
        auto answer = call(std::move(request), {}, false);
        Streams streams;
        streams.terminal = (answer.reply.result & kAttachTerminal) != 0;
        std::size_t next = 0;
        const auto take = [&](int bit, sys::Fd& to) {
            if ((answer.reply.result & bit) != 0 && next < answer.fds.size()) to = std::move(answer.fds[next++]);
        };
        take(kAttachIn, streams.in);
        take(kAttachOut, streams.out);
        take(kAttachErr, streams.err);
        return streams;
    }

    std::optional<StateChange> receive_change() {
        sys::Packet packet;
        auto received = sys::Received::closed;
        try {
            received = sys::receive_packet(socket, packet);
        } catch (const Error& error) {
            log::debug("subscription: {}", error.what());
        }
        if (received == sys::Received::packet) return decode_message(packet.data).change;
        // A new supervisor tells all states again.
        socket.reset();
        if (reconnect()) send_subscription();
        return std::nullopt;
    }

    void send_subscription() {
        Request request;
        request.operation = Operation::subscribe;
        request.seq = ++last_seq;
        for (int i = 0; i < kMaxTries; ++i) {
            if (!socket && !reconnect()) return;
            if (try_call(request, {})) return;
            socket.reset();
        }
        throw gone();
    }
};

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

std::optional<Client> Client::connect(const store::Layout& layout, const std::string& project) {
    auto impl = std::make_unique<Impl>();
    impl->layout = layout;
    impl->project = project;
    // It may be about to leave: only one that answers is there.
    for (int i = 0; i < kMaxTries; ++i) {
        if (!impl->reconnect()) return std::nullopt;
        if (impl->try_call(Request{}, {})) return Client(std::move(impl));
    }
    return std::nullopt;
}

Client Client::connect_or_spawn(const store::Layout& layout, const std::string& project) {
    if (auto client = connect(layout, project)) return std::move(*client);
    layout.prepare();
    sys::make_private_directory(layout.project_run(project));
    const auto lock = sys::FileLock::acquire(spawn_lock(layout, project), kSpawnTimeout);
    if (!lock)
        throw make_error(ErrorKind::conflict, "another command is starting project {}, and hangs", quote(project));
    if (auto client = connect(layout, project)) return std::move(*client);
    try {
        spawn_keeper({.layout = layout, .project = project, .debug = log::enabled()});
    } catch (const Error&) {
        // There was one, whose supervisor had just died: it has started another meanwhile.
        if (auto client = connect(layout, project)) return std::move(*client);
        throw;
    }
    if (auto client = connect(layout, project)) return std::move(*client);
    throw make_error("the supervisor of project {} ended at once", quote(project));
}

void Client::cancel_with(std::stop_token token) {
    impl_->cancel = std::move(token);
}

void Client::start(const std::string& id) {
    impl_->call_simple(Operation::start, id);
}
void Client::stop(const std::string& id, std::optional<std::chrono::nanoseconds> timeout, int signal) {
    Request request;
    request.operation = Operation::stop;
    request.id = id;
    request.timeout = timeout;
    request.signal = signal;
    impl_->call(std::move(request));
}
void Client::pause(const std::string& id) {
    impl_->call_simple(Operation::pause, id);
}
void Client::unpause(const std::string& id) {
    impl_->call_simple(Operation::unpause, id);
}
void Client::restart(const std::string& id, std::optional<std::chrono::nanoseconds> timeout) {
    impl_->call_simple(Operation::restart, id, timeout);
}
void Client::forget(const std::string& id) {
    impl_->call_simple(Operation::forget, id);
}

void Client::kill(const std::string& id, int signal) {
    Request request;
    request.operation = Operation::kill;
    request.id = id;
    request.signal = signal;
    impl_->call(std::move(request));
}

sys::Fd Client::start_attached(const std::string& id, const std::vector<sys::FdRef>& stdio) {
    Request request;
    request.operation = Operation::start;
    request.id = id;
    auto answer = impl_->call(std::move(request), stdio, false);
    return answer.fds.empty() ? sys::Fd() : std::move(answer.fds.front());
}

void Client::refresh(const std::string& id) {
    impl_->call_simple(Operation::refresh, id);
}
void Client::take_ports(const std::string& id, const std::string& from) {
    Request request;
    request.operation = Operation::take_ports;
    request.id = id;
    request.from = from;
    impl_->call(std::move(request));
}
Client::Streams Client::attach(const std::string& id, bool input) {
    return impl_->call_attach(id, input, false);
}
Client::Streams Client::start_listening(const std::string& id, bool input) {
    return impl_->call_attach(id, input, true);
}

Client::Exec Client::exec(const ExecRequest& exec, const std::vector<sys::FdRef>& stdio) {
    Request request;
    request.operation = Operation::exec;
    request.id = exec.container_id;
    request.process = exec.process;
    request.detach = exec.detach;
    auto answer = impl_->call(std::move(request), stdio, false);
    Exec result;
    result.exec_id = answer.reply.exec_id;
    if (!answer.fds.empty()) result.terminal = std::move(answer.fds.front());
    return result;
}

int Client::wait_exec(std::uint64_t exec_id) {
    Request request;
    request.operation = Operation::wait_exec;
    request.exec_id = exec_id;
    return impl_->call(std::move(request)).reply.result;
}

void Client::signal_exec(std::uint64_t exec_id, int signal) {
    Request request;
    request.operation = Operation::signal_exec;
    request.exec_id = exec_id;
    request.signal = signal;
    impl_->call(std::move(request));
}

void Client::subscribe() {
    impl_->subscribed = true;
    impl_->send_subscription();
}

std::optional<StateChange> Client::next(std::optional<std::chrono::milliseconds> timeout) {
    const auto deadline = sys::monotonic_now() + timeout.value_or(std::chrono::milliseconds(0));
    for (;;) {
        if (!impl_->socket) return std::nullopt;
        std::optional<std::chrono::milliseconds> left;
        if (timeout)
            left = std::max(std::chrono::ceil<std::chrono::milliseconds>(deadline - sys::monotonic_now()),
                            std::chrono::milliseconds(0));
        std::array<sys::PollItem, 1> items{{{.fd = impl_->socket}}};
        if (!sys::poll(items, left)) {
            if (timeout && sys::monotonic_now() >= deadline) return std::nullopt;
            continue;
        }
        if (auto change = impl_->receive_change()) return change;
    }
}

bool Client::closed() const {
    return !impl_->socket;
}
sys::FdRef Client::fd() const {
    return impl_->socket;
}

}  // namespace compose::supervisor
