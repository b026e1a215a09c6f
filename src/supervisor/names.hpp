// Who is called what on the networks of this project's containers: the database's endpoints of running containers, read
// again when somebody has changed them.
#pragma once

#include <functional>
#include <string>

#include "net/dns_table.hpp"
#include "store/store.hpp"

namespace compose::supervisor {

class Names {
public:
    /// `running`: does a container of this project run? Nothing for those of other projects, which the database knows.
    Names(store::Store& store, store::Generation& generation, std::string project,
          std::function<std::optional<bool>(const std::string& id)> running);

    [[nodiscard]] const net::DnsTable& table();

private:
    void rebuild();

    store::Store& store_;
    store::Generation& generation_;
    std::string project_;
    std::function<std::optional<bool>(const std::string& id)> running_;
    net::DnsTable table_;
    std::uint64_t seen_ = 0;
    bool built_ = false;
};

}  // namespace compose::supervisor
