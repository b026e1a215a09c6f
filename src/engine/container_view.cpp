#include "engine/container_view.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"
#include "engine/observe.hpp"
#include "supervisor/container_options.hpp"
#include "supervisor/network_rows.hpp"
#include "sys/clock.hpp"
#include "sys/port_socket.hpp"
#include "sys/process.hpp"

namespace compose::engine {
namespace {

/// What a listing needs of a specification, read without building it.
struct SpecExcerpt {
    std::string command;
    std::vector<std::string> mounts;
};

/// As Docker lists it: "sh -c 'echo a; echo b'".
std::string shown_command(const std::vector<std::string>& words) {
    std::string out;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const bool quoted = i > 0 && words[i].find(' ') != std::string::npos;
        out += (i > 0 ? " " : "") + (quoted ? "'" + words[i] + "'" : words[i]);
    }
    return out;
}

SpecExcerpt excerpt(const std::string& spec, const std::map<std::string, std::string>& volume_names) {
    SpecExcerpt result;
    const json::value value = parse_json(spec);
    const json::object& object = value.as_object();
    if (const json::value* process = object.if_contains("process"); process && process->is_object())
        result.command = shown_command(strings_or_empty(process->as_object(), "args"));
    const json::value* mounts = object.if_contains("mounts");
    if (mounts == nullptr || !mounts->is_array()) return result;
    for (const json::value& mount : mounts->as_array()) {
        if (!mount.is_object()) continue;
        const std::string source = string_or(mount.as_object(), "source");
        const auto volume = volume_names.find(source);
        if (volume != volume_names.end())
            result.mounts.push_back(volume->second);
        else if (!source.empty())
            result.mounts.push_back(source);
    }
    return result;
}

bool is_ipv6(const std::string& address) {
    return address.find(':') != std::string::npos;
}

std::set<std::string> families_of(const store::Network& network) {
    std::set<std::string> result;
    if (!network.subnet.empty()) result.insert("0.0.0.0");
    if (network.options.contains("subnet6")) result.insert("::");
    return result;
}

/// Ports that no port of the host leads to: those of `running` containers too that are reached by routes, at `routed`
/// addresses ("0.0.0.0" and "::" for the families).
void add_exposed(const std::string& ports_json, bool running, const std::set<std::string>& routed,
                 std::vector<Publisher>& out) {
    if (ports_json.empty()) return;
    const json::value list = parse_json(ports_json);
    if (!list.is_array()) return;
    for (const json::value& entry : list.as_array()) {
        if (!entry.is_object()) continue;
        const bool wished = bool_or(entry.as_object(), "publish", true);
        if (wished && !running) continue;
        Publisher publisher;
        publisher.target = static_cast<std::uint16_t>(int_or(entry.as_object(), "container_port", 0));
        publisher.protocol = string_or(entry.as_object(), "protocol", "tcp");
        const bool known = wished && std::any_of(out.begin(), out.end(), [&](const Publisher& other) {
                               return other.target == publisher.target && other.protocol == publisher.protocol;
                           });
        if (known) continue;
        const std::size_t before = out.size();
        const std::string host = string_or(entry.as_object(), "host_ip");
        for (const std::string& any : routed)
            if (wished && (host.empty() || is_ipv6(host) == is_ipv6(any))) {
                publisher.url = any;
                out.push_back(publisher);
            }
        if (out.size() == before) out.push_back(std::move(publisher));
    }
}

/// Fills in what stands in other tables, each read once.
class Viewer {
public:
    Viewer(store::Store& store, const std::string& project) : store_(store), liveness_(store.layout(), project) {
        for (const store::Network& network : store.networks("")) {
            networks_[network.id] = network.name;
            if (supervisor::is_routed(network)) routed_.emplace(network.name, families_of(network));
        }
        for (const store::Endpoint& endpoint : store.endpoints(project))
            attached_[endpoint.container_id].push_back(networks_[endpoint.network_id]);
        for (const store::PortRecord& port : store.ports(project)) ports_[port.container_id].push_back(port);
        for (const auto& [container, volume] : store.volume_uses(project))
            volume_names_[store.layout().volume_data(volume)] = volume;
    }

    ContainerView view(store::Container row) {
        ContainerView view;
        const store::ContainerState state = liveness_.state_of(row);
        const bool lost = state != row.state;
        view.state = to_string(state);
        if (state == store::ContainerState::running && row.health != store::Health::none)
            view.health = to_string(row.health);
        view.exit_code = lost ? 255 : row.exit_code;
        if (!lost) view.cause = cause_of_end(row);
        const bool alive = state == store::ContainerState::running || state == store::ContainerState::paused;
        view.pid = alive ? row.pid : 0;
        view.restart_count = row.restart_count;
        view.created_at = row.created_at;
        view.started_at = row.started_at;
        view.finished_at = lost && row.finished_at == 0 ? row.started_at : row.finished_at;
        view.number = row.number;
        view.oneoff = row.oneoff;
        SpecExcerpt spec = excerpt(row.config.spec, volume_names_);
        view.command = std::move(spec.command);
        view.mounts = std::move(spec.mounts);
        view.networks = std::move(attached_[row.id]);
        const bool running = !lost && alive;
        if (running) publish(row.id, view.publishers);
        std::set<std::string> routed;
        for (const std::string& network : view.networks)
            if (const auto found = routed_.find(network); found != routed_.end())
                routed.insert(found->second.begin(), found->second.end());
        add_exposed(row.config.ports_json, running, routed, view.publishers);
        view.log_path = store_.layout().container_log(row.id);
        // Few have any, and listings of hundreds have no time to read what they don't show.
        if (row.config.options_json.find(R"("log_details":{")") != std::string::npos)
            view.log_details = supervisor::options_from_json(row.config.options_json).log_details;
        view.id = std::move(row.id);
        view.name = std::move(row.name);
        view.project = std::move(row.project);
        view.service = std::move(row.service);
        view.image = std::move(row.config.image);
        view.labels = std::move(row.labels);
        return view;
    }

private:
    void publish(const std::string& id, std::vector<Publisher>& out) {
        for (const store::PortRecord& port : ports_[id]) {
            Publisher publisher;
            publisher.url = port.host_ip.empty() ? "0.0.0.0" : port.host_ip;
            publisher.target = port.container_port;
            publisher.published = port.host_port;
            publisher.protocol = port.protocol;
            out.push_back(publisher);
            if (!port.host_ip.empty() || !has_ipv6()) continue;
            publisher.url = "::";
            out.push_back(std::move(publisher));
        }
    }

    // Asked of the kernel once, and only where it matters.
    bool has_ipv6() {
        if (!has_ipv6_) has_ipv6_ = sys::has_ipv6();
        return *has_ipv6_;
    }

    store::Store& store_;
    Liveness liveness_;
    std::optional<bool> has_ipv6_;
    std::map<std::string, std::string> networks_;                  // id -> name
    std::map<std::string, std::set<std::string>> routed_;          // name -> as in add_exposed
    std::map<std::string, std::vector<std::string>> attached_;     // container id -> network names
    std::map<std::string, std::vector<store::PortRecord>> ports_;  // by container id
    std::map<std::string, std::string> volume_names_;              // folder -> name
};

}  // namespace

std::string cause_of_end(const store::Container& row) {
    constexpr int kSignalBase = 128, kSignals = 64;
    const bool ended = row.state == store::ContainerState::exited || row.state == store::ContainerState::dead ||
                       row.state == store::ContainerState::restarting;
    if (!ended) return {};
    if (row.oom_killed) return "out of memory";
    if (row.stopped_by_user || row.exit_code <= kSignalBase || row.exit_code > kSignalBase + kSignals) return {};
    return sys::signal_name(row.exit_code - kSignalBase);
}

std::string status_text(const ContainerView& view, std::chrono::sys_time<std::chrono::nanoseconds> now) {
    const auto since = [&](std::int64_t then) {
        const std::chrono::nanoseconds span = now.time_since_epoch() - std::chrono::nanoseconds(then);
        return human_duration(
            std::chrono::duration_cast<std::chrono::seconds>(std::max(span, std::chrono::nanoseconds(0))));
    };
    if (view.state == "running" || view.state == "paused") {
        std::string text = "Up " + since(view.started_at);
        if (view.state == "paused") return text + " (Paused)";
        if (view.health == "starting")
            text += " (health: starting)";
        else if (!view.health.empty())
            text += " (" + view.health + ")";
        return text;
    }
    if (view.state == "restarting")
        return fmt::format("Restarting ({}) {} ago", view.exit_code, since(view.finished_at));
    if (view.state == "created") return "Created";
    if (view.state == "dead") return "Dead";
    return fmt::format("Exited ({}) {} ago", view.exit_code, since(view.finished_at));
}

std::vector<ContainerView> container_views(store::Store& store, const std::string& project) {
    std::map<std::string, Viewer> viewers;  // by project
    std::vector<ContainerView> result;
    const auto now = sys::wall_now();
    for (store::Container& row : store.containers(project)) {
        const auto viewer = viewers.try_emplace(row.project, store, row.project).first;
        result.push_back(viewer->second.view(std::move(row)));
        result.back().status = status_text(result.back(), now);
    }
    return result;
}

ContainerView container_view(store::Store& store, store::Container row) {
    Viewer viewer(store, row.project);
    ContainerView result = viewer.view(std::move(row));
    result.status = status_text(result, sys::wall_now());
    return result;
}

}  // namespace compose::engine
