#include "engine/materialize.hpp"

#include <filesystem>

#include "base/error.hpp"
#include "engine/container_disk.hpp"
#include "net/dns_server.hpp"
#include "sys/file.hpp"

namespace compose::engine {
namespace {

std::string host_gateway(const std::vector<PlannedEndpoint>& endpoints) {
    const auto gateway_of = [](const store::Network& network) {
        return network.gateway.empty() ? network.options.at("gateway6") : network.gateway;
    };
    // The host has no address on a network that stands on one of its interfaces.
    const PlannedEndpoint* found = nullptr;
    for (const PlannedEndpoint& endpoint : endpoints)
        if (!is_stacked(*endpoint.network) && (found == nullptr || endpoint.endpoint.default_route)) found = &endpoint;
    if (found != nullptr) return gateway_of(*found->network);
    return endpoints.empty() ? "127.0.0.1" : gateway_of(*endpoints.front().network);
}

/// Every user of the container may read it, whatever the umask of who ran the command.
void write_shared_file(const std::string& path, const std::string& text) {
    sys::write_file(path, text, 0644);
    std::filesystem::permissions(path, std::filesystem::perms{0644});
}

}  // namespace

std::string hosts_text(const Service& service, const ContainerFacts& facts, const HostFacts& host,
                       const std::vector<PlannedEndpoint>& endpoints) {
    std::vector<net::HostsEntry> entries;
    for (const auto& [name, addresses] : service.extra_hosts)
        for (const std::string& address : addresses)
            entries.push_back({address == "host-gateway" ? host_gateway(endpoints) : address, {name}});
    if (network_kind(service) == NetworkKind::host) {
        std::string text = host.hosts;
        if (!text.empty() && text.back() != '\n') text += '\n';
        for (const net::HostsEntry& entry : entries) text += entry.address + "\t" + entry.names.front() + "\n";
        return text;
    }
    if (network_kind(service) == NetworkKind::joined) return {};  // the other container's is mounted
    const std::string hostname = effective_hostname(service, facts);
    for (const PlannedEndpoint& endpoint : endpoints) {
        std::vector<std::string> names;
        if (!service.domainname.empty()) names.push_back(hostname + "." + service.domainname);
        names.push_back(hostname);
        for (const std::string& more : endpoint.endpoint.link_local)
            if (more.find(':') != std::string::npos) entries.push_back({more, names});
        if (!endpoint.endpoint.address.empty()) entries.push_back({endpoint.endpoint.address, std::move(names)});
    }
    return net::render_hosts(entries);
}

std::string resolv_text(const Service& service, const HostFacts& host) {
    net::ResolvConf conf = net::parse_resolv_conf(host.resolv_conf);
    if (!service.dns_search.empty()) conf.search = service.dns_search;
    if (!service.dns_opt.empty()) conf.options = service.dns_opt;
    if (network_kind(service) == NetworkKind::own) return net::render_resolv_conf(conf);
    if (service.dns.empty() && service.dns_search.empty() && service.dns_opt.empty()) return host.resolv_conf;
    if (!service.dns.empty()) conf.nameservers = service.dns;
    std::string text;
    for (const std::string& server : conf.nameservers) text += "nameserver " + server + "\n";
    const auto line = [&](const std::string& key, const std::vector<std::string>& words) {
        if (words.empty()) return;
        text += key;
        for (const std::string& word : words) text += " " + word;
        text += "\n";
    };
    line("search", conf.search);
    line("options", conf.options);
    return text;
}

void make_shared_directory(const std::string& path) {
    sys::make_directories(path, 0755);
    std::filesystem::permissions(path, std::filesystem::perms{0755});
}

void make_mount_points(const std::string& folder) {
    const std::string last = folder + "/etc/hostname";  // says that all the others are there
    if (sys::exists(last)) return;
    for (const char* name : {"", "/dev", "/proc", "/sys", "/etc"}) make_shared_directory(folder + name);
    write_shared_file(folder + "/etc/hosts", "");
    write_shared_file(folder + "/etc/resolv.conf", "");
    write_shared_file(last, "");
}

void make_folder(const std::string& folder, std::int64_t disk_size, const std::string& hosts,
                 const std::string& resolv_conf) {
    sys::make_directory(folder, 0700);
    make_root_folders(folder, disk_size);
    write_shared_file(folder + "/hosts", hosts);
    write_shared_file(folder + "/resolv.conf", resolv_conf);
}

void finish_folder(const std::string& folder, const std::string& hostname) {
    write_shared_file(folder + "/hostname", hostname + "\n");
}

}  // namespace compose::engine
