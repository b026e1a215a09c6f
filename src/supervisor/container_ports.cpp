// Host ports that pass from one container to the one that takes its place (order: start-first).
//
//   old, has the port    new, starts without it     launch(): its place has a holder
//                        new is healthy             the command asks for take_ports
//   old, drains          new, has the port          database, then firewall: one transaction each
//   old stops
//
// Whenever one of them ends, the other one takes what is free. Killed in between, the next supervisor finds in the
// database whose the ports are, and makes sockets and rules follow (HostPorts::adopt(), Endpoints::adopt()).
#include <tuple>

#include "base/error.hpp"
#include "base/log.hpp"
#include "supervisor/container.hpp"
#include "sys/clock.hpp"
#include "sys/flows.hpp"

namespace compose::supervisor {
namespace {

constexpr std::chrono::seconds kDrain{1};
constexpr std::chrono::milliseconds kDrainStep{20};

}  // namespace

void Container::take_ports_unless_held(std::vector<PortWish> wishes) {
    if (wishes.empty() || ports_.taken() || !core_.store.port_holder_of_place(row_).empty()) return;
    ports_.take(endpoints_.on_host(std::move(wishes)));
}

bool Container::is_in_place_of(const Container& other) const {
    const auto place = [](const store::Container& row) { return std::tie(row.project, row.service, row.number); };
    return this != &other && !row_.oneoff && !other.row_.oneoff && !row_.service.empty() &&
           place(row_) == place(other.row_);
}

void Container::take_missing_ports() noexcept {
    if (phase_ != Phase::running || stop_requested_ || row_.config.ports_json.empty() || ports_.taken()) return;
    try {
        take_ports_unless_held(port_wishes_from_json(row_.config.ports_json));
        if (!ports_.taken()) return;
        endpoints_.refresh(row_, static_cast<pid_t>(row_.pid));
        tell();
    } catch (const std::exception& error) {
        log::debug("ports of {}: {}", row_.name, error.what());
    }
}

void Container::take_ports(Container& from) {
    if (phase_ != Phase::running || stop_requested_)
        throw make_error(ErrorKind::conflict, "container {} is not running", row_.name);
    const auto given = ports_.take_over(from.ports_, endpoints_.on_host(port_wishes_from_json(row_.config.ports_json)));
    from.given_ports_.insert(given.begin(), given.end());
    endpoints_.take_over(from.endpoints_);
    from.tell();
    tell();
}

void Container::drain(Done done) {
    draining_.push_back(std::move(done));
    drain_until_ = sys::monotonic_now() + kDrain;
    look_at_connections();
}

void Container::look_at_connections() {
    drain_.cancel();
    const bool waits = phase_ == Phase::running && !given_ports_.empty() && sys::monotonic_now() < drain_until_ &&
                       sys::has_open_connections(static_cast<int>(row_.pid), given_ports_);
    if (!waits) {
        given_ports_.clear();
        return answer(draining_, nullptr);
    }
    drain_ = core_.loop.after(kDrainStep, [this] { look_at_connections(); });
}

}  // namespace compose::supervisor
