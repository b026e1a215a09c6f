// An SSH agent for one step: a socket of its own, with the owner and mode that the step asks for, behind which the
// user's agent answers. Bytes are passed on as they come; keys never leave the agent.
#pragma once

#include <string>
#include <thread>

#include "sys/fd.hpp"

namespace compose::engine {

class AgentRelay {
public:
    /// Listens at `path`, whose folder nobody else can enter, until destroyed. `agent` is asked anew for each
    /// connection.
    AgentRelay(std::string agent, const std::string& path);

private:
    void run(const std::stop_token& stop);

    const std::string agent_;
    sys::Fd listener_;
    std::jthread thread_;  // last: it uses the others
};

}  // namespace compose::engine
