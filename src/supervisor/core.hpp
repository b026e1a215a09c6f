// What every part of the supervisor works with; made once, by Supervisor.
#pragma once

#include <string>

#include "net/dns_server.hpp"
#include "net/firewall.hpp"
#include "store/store.hpp"
#include "supervisor/dead_networks.hpp"
#include "supervisor/keeper_link.hpp"
#include "supervisor/log_compressor.hpp"
#include "supervisor/output_log.hpp"
#include "supervisor/process_table.hpp"
#include "sys/event_loop.hpp"

namespace compose::supervisor {

struct Core {
    sys::EventLoop& loop;
    store::Store& store;
    store::Generation& generation;
    KeeperLink& keeper;
    ProcessTable& processes;
    net::Firewall& firewall;
    net::DnsServer& dns;
    DeadNetworks& dead_networks;
    LogBuffers& buffers;
    LogCompressor& compressor;
    std::string project;
    std::string boot_id;
};

}  // namespace compose::supervisor
