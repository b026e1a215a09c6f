// The standard streams of a container, for those who attach to it.
#include <compose/containers.hpp>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "supervisor/container.hpp"

namespace compose::supervisor {

Container::Ends Container::attach(bool input) {
    if (phase_ != Phase::running || stop_requested_)
        throw make_error(ErrorKind::conflict, "container {} is not running", row_.name)
            .with_hint("you cannot attach to a stopped container, start it first");
    if (row_.state == store::ContainerState::paused)
        throw make_error(ErrorKind::conflict, "container {} is paused, unpause it before attach", row_.name);
    if (!pump_)
        throw make_error(ErrorKind::conflict, "the output of container {} goes to whoever started it", row_.name);
    Ends ends;
    ends.terminal = pump_->terminal().has_value();
    auto out = sys::make_pipe();
    ends.out = std::move(out.read);
    sys::Pipe err;
    if (!ends.terminal) {
        err = sys::make_pipe();
        ends.err = std::move(err.read);
    }
    listeners_.add(std::move(out.write), std::move(err.write));
    if (!input) return ends;
    if (ends.terminal)
        ends.in = terminal_input();
    else if (input_)
        ends.in = input_.duplicate();
    return ends;
}

Container::Ends Container::prepare_attach(bool input) {
    const auto fresh = core_.store.container(row_.id);
    if (!fresh) throw make_error(ErrorKind::not_found, "there is no container {}", short_id(row_.id));
    if (phase_ != Phase::down) throw make_error(ErrorKind::conflict, "container {} is already running", row_.name);
    const auto spec = runtime::spec_from_json(fresh->config.spec);
    Ends ends;
    ends.terminal = spec.process.terminal;
    given_.emplace(Given{{}, {}, {}, input});
    auto out = sys::make_pipe();
    ends.out = std::move(out.read);
    given_->out = std::move(out.write);
    if (ends.terminal) return ends;
    auto err = sys::make_pipe();
    ends.err = std::move(err.read);
    given_->err = std::move(err.write);
    if (!input) return ends;
    auto in = sys::make_pipe();
    ends.in = std::move(in.write);
    given_->in = std::move(in.read);
    return ends;
}

sys::Fd Container::terminal_input() const {
    if (!pump_ || !pump_->terminal()) return {};
    return pump_->terminal()->master.duplicate();
}

}  // namespace compose::supervisor
