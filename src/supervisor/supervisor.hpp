// The supervisor: one thread, one loop. It takes requests, hands them to the containers they are about, and leaves when
// there is nothing left to look after.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "supervisor/container.hpp"
#include "supervisor/core.hpp"
#include "supervisor/execs.hpp"
#include "supervisor/names.hpp"
#include "supervisor/resident.hpp"
#include "supervisor/server.hpp"
#include "sys/file.hpp"

namespace compose::supervisor {

class Supervisor {
public:
    Supervisor(ResidentArguments arguments, sys::Fd keeper_socket);
    ~Supervisor();

    /// Takes over what there is and listens; `ready` is called then. Returns when everything is over.
    void run(const std::function<void()>& ready);

private:
    void take_listener(std::map<std::string, Held>& held);
    void adopt_all(KeeperLink::Handover& handover);
    void on_keeper_lost();

    void dispatch(SessionId session, Request request, std::vector<sys::Fd> fds);
    void dispatch_to_container(SessionId session, const Request& request, std::vector<sys::Fd> fds);
    void attach(SessionId session, const Request& request, Container& container);
    void take_ports(Container& container, Container& from, Container::Done done);
    void on_ports_free(const Container& container);
    void forget(SessionId session, const Request& request);
    [[nodiscard]] Container* find(const std::string& id);
    [[nodiscard]] Container& require(const std::string& id);
    Container& add(store::Container row);
    [[nodiscard]] Container::Done answer_to(SessionId session, std::uint64_t seq);
    void on_changed(const Container& container);
    void look_for_namespaces(const Container& container);
    void rejoin_namespaces();

    [[nodiscard]] bool idle() const;
    void look_for_end();
    void try_to_leave();

    ResidentArguments arguments_;
    sys::EventLoop loop_;
    store::Store store_;
    store::Generation generation_;
    KeeperLink keeper_;
    ProcessTable processes_;
    net::Firewall firewall_;
    Names names_;
    net::DnsServer dns_;
    DeadNetworks dead_networks_{loop_};
    LogBuffers buffers_;
    LogCompressor compressor_{loop_};
    Core core_;
    sys::Fd listener_;
    std::unique_ptr<Server> server_;
    Server* server_view_ = nullptr;
    Execs execs_;
    std::map<std::string, std::unique_ptr<Container>> containers_;
    std::optional<sys::FileLock> leaving_;  // held until this process is gone
    sys::EventLoop::Watch end_timer_;
    sys::EventLoop::Watch trim_timer_;
    sys::EventLoop::Watch heir_timer_;
    sys::EventLoop::Watch rejoin_timer_;
    std::set<std::string> left_behind_;  // ids of containers that are down because the owner of their namespace was
};

}  // namespace compose::supervisor
