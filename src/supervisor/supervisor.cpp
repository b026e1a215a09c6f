#include "supervisor/supervisor.hpp"

#include <malloc.h>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/log.hpp"
#include "sys/clock.hpp"
#include "sys/reaper.hpp"
#include "sys/socket.hpp"

namespace compose::supervisor {
namespace {

constexpr std::chrono::seconds kIdleTime{1};
constexpr std::chrono::milliseconds kEmptyTime{5};  // after down, which waits for the end
// After a burst of work, memory that it took goes back to the system.
constexpr std::chrono::seconds kTrimAfter{1};
constexpr std::chrono::seconds kHeirPause{1};
// The command that restarts one container may be about to restart those that share its namespaces.
constexpr std::chrono::milliseconds kRejoinAfter{500};
constexpr const char* kListenerName = "listener";

}  // namespace

Supervisor::Supervisor(ResidentArguments arguments, sys::Fd keeper_socket)
    : arguments_(std::move(arguments)),
      store_(arguments_.layout),
      generation_(arguments_.layout),
      keeper_(std::move(keeper_socket), arguments_),
      processes_(loop_, keeper_),
      firewall_("compose-" + store_.installation_id()),
      names_(store_, generation_, arguments_.project,
             [this](const std::string& id) -> std::optional<bool> {
                 const auto found = containers_.find(id);
                 if (found == containers_.end()) return std::nullopt;
                 return found->second->phase() == Phase::running;
             }),
      dns_(loop_, [this]() -> const net::DnsTable& { return names_.table(); }),
      core_{.loop = loop_,
            .store = store_,
            .generation = generation_,
            .keeper = keeper_,
            .processes = processes_,
            .firewall = firewall_,
            .dns = dns_,
            .dead_networks = dead_networks_,
            .buffers = buffers_,
            .compressor = compressor_,
            .project = arguments_.project,
            .boot_id = sys::boot_id()},
      execs_(core_, server_view_, [this] { look_for_end(); }) {}

Supervisor::~Supervisor() = default;

void Supervisor::run(const std::function<void()>& ready) {
    auto handover = keeper_.receive_handover();
    take_listener(handover.held);
    // Watched before anything is adopted, told of only afterwards: the loop does not run yet.
    keeper_.watch(
        loop_, [this](const ChildExit& exit) { processes_.deliver(exit); }, [this] { on_keeper_lost(); });
    server_ =
        std::make_unique<Server>(loop_, listener_,
                                 Server::Hooks{[this](SessionId session, Request request, std::vector<sys::Fd> fds) {
                                                   dispatch(session, std::move(request), std::move(fds));
                                               },
                                               [this] { look_for_end(); }});
    server_view_ = server_.get();
    adopt_all(handover);
    ready();
    keeper_.say_ready();
    look_for_end();
    loop_.run();
}

void Supervisor::take_listener(std::map<std::string, Held>& held) {
    const auto found = held.find(kListenerName);
    if (found != held.end() && !found->second.fds.empty()) {
        listener_ = std::move(found->second.fds.front());
        return;
    }
    listener_ = sys::listen_unix(arguments_.layout.control_socket(arguments_.project));
    keeper_.store(kListenerName, 0, {listener_});
}

void Supervisor::adopt_all(KeeperLink::Handover& handover) {
    for (auto& row : store_.containers(arguments_.project)) {
        const auto name = row.name;
        try {
            add(std::move(row)).adopt(handover.held, handover.exits);
        } catch (const Error& error) {
            // One broken row must not take the others' supervisor with it.
            log::debug("adopt {}: {}", name, error.what());
        }
    }
    // One of them may have been started just before its sharers would have followed.
    rejoin_timer_ = loop_.after(kRejoinAfter, [this] { rejoin_namespaces(); });
    execs_.adopt(handover.held);
    // Exits of containers were used just now; those of commands find their entry, the rest were orphans.
    for (const auto& exit : handover.exits) processes_.deliver(exit);
    // Names of containers that no longer exist.
    for (const auto& [name, entry] : handover.held) {
        const auto slash = name.find('/');
        if (slash == std::string::npos || name.starts_with("exec/")) continue;
        if (!containers_.contains(name.substr(0, slash))) keeper_.drop(name);
    }
}

void Supervisor::on_keeper_lost() {
    log::debug("the keeper is dead");
    try {
        keeper_.hand_to_heir();
        // Its first act, once this process is gone, is to start another of us.
        sys::leave(0);
    } catch (const Error& error) {
        // Alone we still look after everything that runs; sooner or later there is room for a keeper.
        log::debug("no new keeper: {}", error.what());
        heir_timer_ = loop_.after(kHeirPause, [this] { on_keeper_lost(); });
    }
}

// --- requests -------------------------------------------------------------------------------------------------------

Container& Supervisor::add(store::Container row) {
    const auto id = row.id;
    Container::Hooks hooks{[this](const Container& container) { on_changed(container); },
                           [this](const std::string&) { look_for_end(); },
                           [this](const Container& container) { on_ports_free(container); }};
    auto& place = containers_[id];
    place = std::make_unique<Container>(core_, std::move(hooks), std::move(row));
    return *place;
}

Container* Supervisor::find(const std::string& id) {
    if (const auto found = containers_.find(id); found != containers_.end()) return found->second.get();
    auto row = store_.container(id);
    if (!row || row->project != arguments_.project) return nullptr;
    return &add(std::move(*row));
}

Container& Supervisor::require(const std::string& id) {
    if (auto* const container = find(id)) return *container;
    throw make_error(ErrorKind::not_found, "there is no container {}", short_id(id));
}

Container::Done Supervisor::answer_to(SessionId session, std::uint64_t seq) {
    return [this, session, seq](const Failure* failure, sys::FdRef terminal) {
        Reply reply;
        reply.seq = seq;
        if (failure != nullptr) reply.failure = *failure;
        std::vector<sys::FdRef> fds;
        if (terminal) fds.push_back(terminal);
        server_->reply(session, reply, fds);
    };
}

void Supervisor::dispatch(SessionId session, Request request, std::vector<sys::Fd> fds) {
    try {
        switch (request.operation) {
            case Operation::hello: {
                Reply reply;
                reply.seq = request.seq;
                reply.version = COMPOSE_VERSION;
                server_->reply(session, reply);
                break;
            }
            case Operation::subscribe: {
                Reply reply;
                reply.seq = request.seq;
                server_->reply(session, reply);
                for (const auto& [id, container] : containers_) server_->send_change(session, container->change());
                server_->subscribe(session);
                break;
            }
            case Operation::wait_exec:
                execs_.wait(session, request);
                break;
            case Operation::signal_exec:
                execs_.signal(session, request);
                break;
            default:
                dispatch_to_container(session, request, std::move(fds));
        }
    } catch (const Error& error) {
        const auto failure = Failure::from(error);
        answer_to(session, request.seq)(&failure, {});
    }
    trim_timer_ = loop_.after(kTrimAfter, [] { ::malloc_trim(0); });
}

void Supervisor::dispatch_to_container(SessionId session, const Request& request, std::vector<sys::Fd> fds) {
    if (request.operation == Operation::forget) return forget(session, request);
    auto& container = require(request.id);
    auto done = answer_to(session, request.seq);
    switch (request.operation) {
        case Operation::start:
            container.start(std::move(fds), std::move(done));
            break;
        case Operation::stop:
            container.stop(request.timeout, std::move(done), request.signal);
            break;
        case Operation::kill:
            container.kill(request.signal, std::move(done));
            break;
        case Operation::restart:
            container.restart(request.timeout, std::move(done));
            break;
        case Operation::take_ports:
            take_ports(container, require(request.from), std::move(done));
            break;
        case Operation::pause:
            container.pause();
            done(nullptr, {});
            break;
        case Operation::unpause:
            container.unpause();
            done(nullptr, {});
            break;
        case Operation::refresh:
            container.refresh();
            done(nullptr, {});
            break;
        case Operation::attach:
            attach(session, request, container);
            break;
        case Operation::exec:
            execs_.start(session, request, container.exec_target(), std::move(fds));
            break;
        default:
            throw make_error(ErrorKind::invalid, "not a request about a container");
    }
}

void Supervisor::attach(SessionId session, const Request& request, Container& container) {
    const auto give = [this, session, seq = request.seq](const Container::Ends& ends) {
        Reply reply;
        reply.seq = seq;
        reply.result = (ends.in ? kAttachIn : 0) | (ends.out ? kAttachOut : 0) | (ends.err ? kAttachErr : 0) |
                       (ends.terminal ? kAttachTerminal : 0);
        std::vector<sys::FdRef> fds;
        for (const auto* fd : {&ends.in, &ends.out, &ends.err})
            if (*fd) fds.emplace_back(*fd);
        server_->reply(session, reply, fds);
    };
    if (!request.begin) return give(container.attach(request.input));
    auto ends = std::make_shared<Container::Ends>(container.prepare_attach(request.input));
    container.start({}, [this, session, give, ends, &container, request](const Failure* failure, sys::FdRef) {
        if (failure != nullptr) return answer_to(session, request.seq)(failure, {});
        if (ends->terminal && request.input) ends->in = container.terminal_input();
        give(*ends);
    });
}

void Supervisor::take_ports(Container& container, Container& from, Container::Done done) {
    if (&container == &from) throw make_error(ErrorKind::invalid, "a container has its own ports already");
    container.take_ports(from);
    from.drain(std::move(done));
}

/// Whoever takes its place has started without the ports that it had.
void Supervisor::on_ports_free(const Container& container) {
    for (const auto& [id, other] : containers_)
        if (other->is_in_place_of(container)) other->take_missing_ports();
}

void Supervisor::forget(SessionId session, const Request& request) {
    auto done = answer_to(session, request.seq);
    if (auto* const container = find(request.id)) return container->forget(std::move(done));
    done(nullptr, {});
}

void Supervisor::on_changed(const Container& container) {
    server_->broadcast(container.change());
    if (container.forgotten()) {
        // It is still inside one of its own functions.
        const auto id = container.row().id;
        loop_.post([this, id] {
            const auto found = containers_.find(id);
            if (found != containers_.end() && found->second->forgotten()) containers_.erase(found);
        });
    }
    look_for_namespaces(container);
    look_for_end();
}

/// Who shares a namespace with a container that was started again is in the old one, in which nobody else is left.
void Supervisor::look_for_namespaces(const Container& container) {
    if (container.phase() != Phase::running || rejoin_timer_) return;
    const auto& name = container.row().name;
    if (std::any_of(containers_.begin(), containers_.end(),
                    [&](const auto& entry) { return entry.second->shares_with(name); }))
        rejoin_timer_ = loop_.after(kRejoinAfter, [this] { rejoin_namespaces(); });
}

void Supervisor::rejoin_namespaces() {
    rejoin_timer_.cancel();
    const auto follow = [this](const std::string& id) {
        return [this, id](const Failure* failure, sys::FdRef) {
            // The owner has ended again meanwhile: when it is back, so is this one.
            if (failure != nullptr) left_behind_.insert(id);
        };
    };
    const auto has_owner = [this](const auto& condition) {
        return std::any_of(containers_.begin(), containers_.end(),
                           [&](const auto& entry) { return condition(*entry.second); });
    };
    for (const auto& [id, sharer] : containers_) {
        if (has_owner([&, &one = sharer](const Container& owner) { return one->was_left_by(owner); })) {
            log::debug("{} follows into new namespaces", sharer->row().name);
            sharer->restart({}, follow(id));
            continue;
        }
        const bool waits = sharer->phase() == Phase::down && !sharer->row().stopped_by_user;
        const bool back = waits && left_behind_.contains(id) && has_owner([&, &one = sharer](const Container& owner) {
                              return owner.phase() == Phase::running && one->shares_with(owner.row().name);
                          });
        if (waits && !back) continue;
        left_behind_.erase(id);
        if (back) sharer->start({}, follow(id));
    }
}

// --- the end --------------------------------------------------------------------------------------------------------

bool Supervisor::idle() const {
    if (server_->busy() || execs_.busy()) return false;
    return std::none_of(containers_.begin(), containers_.end(),
                        [](const auto& entry) { return entry.second->active(); });
}

void Supervisor::look_for_end() {
    if (!idle()) return end_timer_.cancel();
    // Containers made by hand come one after the other; nobody waits for this end.
    const bool by_hand = arguments_.project.starts_with('_');
    const std::chrono::nanoseconds delay =
        containers_.empty() && !by_hand ? std::chrono::nanoseconds(kEmptyTime) : kIdleTime;
    if (!end_timer_) end_timer_ = loop_.after(delay, [this] { try_to_leave(); });
}

void Supervisor::try_to_leave() {
    end_timer_.cancel();
    if (!idle()) return;
    // Whoever wants to start a supervisor holds this lock while it looks for ours.
    auto lock = sys::FileLock::try_acquire(spawn_lock(arguments_.layout, arguments_.project));
    if (!lock) return look_for_end();
    server_->accept_all();
    if (!idle()) return;
    sys::remove_file(arguments_.layout.control_socket(arguments_.project));
    keeper_.say_quit();
    leaving_ = std::move(*lock);
    loop_.stop();
}

}  // namespace compose::supervisor
