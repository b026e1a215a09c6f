#include "engine/build_network.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "engine/firewall_sync.hpp"
#include "net/bridge.hpp"
#include "net/dns_server.hpp"
#include "supervisor/network_rows.hpp"
#include "sys/clock.hpp"
#include "sys/netns_lock.hpp"

namespace compose::engine {
namespace {

constexpr std::size_t kSeats = 200;

template <class T>
T parsed(const std::optional<T>& value, const std::string& text) {
    if (!value) throw make_error("the database holds \"{}\", which is no address", text);
    return *value;
}

}  // namespace

BuildNetwork::~BuildNetwork() {
    if (!row_) return;
    const auto remove = [&] {
        store::Store store(layout_);
        remove_build_network(store, *row_);
    };
    try {
        try {
            remove();
        } catch (const Error&) {
            workspace_.clear();  // the disk may be full, with what the build has written
            remove();
        }
    } catch (const std::exception& error) {
        log::debug("remove the network of the build: {}", error.what());
        workspace_.keep();  // the next build will try again
    }
}

void BuildNetwork::make() {
    store::Store store(layout_);
    store::Network row;
    row.id = sys::random_id();
    row.name = build_network_name(workspace_.id());
    row.key = "build";
    row.bridge = "cmp" + row.id.substr(0, 12);
    row.labels["com.docker.compose.build"] = workspace_.id();
    row.created_at = sys::wall_now().time_since_epoch().count();
    std::vector<std::string> avoid;
    // Another installation on this machine may look for a free subnet at the same time.
    const sys::NetnsLock lock;
    for (const auto& route : net::host_routes()) avoid.push_back(route.to_string());
    store.insert_network(row, avoid);
    row_ = row;
    const auto wall = firewall_network(row);
    subnet_ = wall.subnet.value();
    gateway_ = parsed(net::Ipv4::parse(row.gateway), row.gateway);
    net::create_bridge({row.bridge, subnet_, gateway_, 1500});
    supervisor::settle_bridge_filter(store);
    net::Firewall firewall("compose-" + store.installation_id());
    firewall.ensure();
    firewall.add_network(wall);
    taken_.assign(kSeats, false);
}

std::unique_ptr<BuildNetwork::Seat> BuildNetwork::take_seat() {
    const std::lock_guard lock(mutex_);
    if (!row_) in_context([] { return "make a network for the build"; }, [&] { make(); });
    for (std::size_t i = 0; i < taken_.size(); ++i) {
        if (taken_[i]) continue;
        taken_[i] = true;
        return std::make_unique<Seat>(*this, i);
    }
    throw make_error("more than {} steps run at once", kSeats);
}

BuildNetwork::Seat::~Seat() {
    const std::lock_guard lock(network_.mutex_);
    network_.taken_[number_] = false;
}

net::Ipv4 BuildNetwork::Seat::gateway() const {
    return network_.gateway_;
}

net::Ipv4 BuildNetwork::Seat::address() const {
    // Above the gateway, which is the first one.
    return {network_.gateway_.value + 1 + static_cast<std::uint32_t>(number_)};
}

void BuildNetwork::Seat::connect(sys::FdRef netns) const {
    net::EndpointSpec spec;
    spec.bridge = network_.row_->bridge;
    spec.host_name = "cmb" + sys::random_id().substr(0, 12);
    spec.container_name = "eth0";
    spec.index = 2;
    spec.address = address();
    spec.prefix_length = network_.subnet_.length;
    spec.mac = net::mac_of(address());
    spec.gateway = network_.gateway_;
    net::connect_endpoints({&spec, 1}, netns);
}

std::string build_resolv_conf(const std::string& hosts_own) {
    const auto conf = net::parse_resolv_conf(hosts_own);
    std::string out;
    for (const auto& server : conf.nameservers)
        // What listens on the host's loopback can't be reached from a namespace of its own.
        if (!server.starts_with("127.") && server != "::1") out += "nameserver " + server + "\n";
    if (!conf.search.empty()) out += "search " + join(conf.search, " ") + "\n";
    if (!conf.options.empty()) out += "options " + join(conf.options, " ") + "\n";
    return out;
}

}  // namespace compose::engine
