#include "cli/container_rows.hpp"

#include <algorithm>
#include <charconv>
#include <compose/containers.hpp>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/strings.hpp"
#include "cli/render_table.hpp"

namespace compose::cli {

namespace {

constexpr std::array<std::string_view, 7> kStates{"created",  "dead",       "exited", "paused",
                                                  "removing", "restarting", "running"};

bool is_alive(const ContainerView& view) {
    return view.state == "running" || view.state == "restarting" || view.state == "paused";
}

std::string without_tag(const std::string& image) {
    const auto colon = image.rfind(':');
    return colon == std::string::npos || image.find('/', colon) != std::string::npos ? image : image.substr(0, colon);
}

bool is_ancestor(const ContainerView& view, const std::string& wanted, const PsLookups& lookups) {
    if (view.image == wanted || view.image == wanted + ":latest" || view.image + ":latest" == wanted) return true;
    if (wanted.find(':') == std::string::npos && without_tag(view.image) == wanted) return true;
    if (!lookups.image_id || wanted.size() < 4) return false;
    const auto id = lookups.image_id(view.id);
    return id.starts_with(wanted) ||
           std::string_view(id).substr(std::min<std::size_t>(id.size(), 7)).starts_with(wanted);
}

/// "80", "80/udp", "8000-8010/tcp"
bool has_port(const ContainerView& view, const std::string& wanted, bool published_only) {
    const auto slash = wanted.find('/');
    const auto ports = std::string_view(wanted).substr(0, slash);
    const auto protocol = slash == std::string::npos ? "tcp" : lower(wanted.substr(slash + 1));
    const auto number = [&](std::string_view digits) {
        unsigned value = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (error != std::errc{} || end != digits.data() + digits.size() || value > 65535)
            throw make_error(ErrorKind::usage, "invalid filter: {} is not a port", quote(wanted));
        return value;
    };
    const auto dash = ports.find('-');
    const auto first = number(ports.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number(ports.substr(dash + 1));
    return std::any_of(view.publishers.begin(), view.publishers.end(), [&](const Publisher& port) {
        const auto value = published_only ? port.published : port.target;
        return port.protocol == protocol && value != 0 && value >= first && value <= last;
    });
}

int exit_code_of(const std::string& text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        throw make_error(ErrorKind::usage, "invalid filter: {} is not an exit code", quote(text));
    return value;
}

void check_values(const Filters& filters) {
    for (const auto& state : filters.values("status"))
        if (std::find(kStates.begin(), kStates.end(), state) == kStates.end())
            throw make_error(ErrorKind::usage, "unknown status {}", quote(state))
                .with_hint("use created, dead, exited, paused, removing, restarting or running");
    for (const auto& health : filters.values("health"))
        if (health != "none" && health != "starting" && health != "healthy" && health != "unhealthy")
            throw make_error(ErrorKind::usage, "unknown health {}", quote(health))
                .with_hint("use none, starting, healthy or unhealthy");
    (void)filters.truth("is-task", false);
}

bool is_wanted(const ContainerView& view, const Filters& filters, const PsLookups& lookups) {
    const auto contains = [](const std::vector<std::string>& list, const std::string& text) {
        return std::find(list.begin(), list.end(), text) != list.end();
    };
    return filters.any("id", [&](const auto& text) { return view.id.starts_with(text); }) &&
           filters.any("name",
                       [&](const auto& text) { return matches(text, view.name) || matches(text, "/" + view.name); }) &&
           filters.any(
               "exited",
               [&](const auto& text) { return view.state == "exited" && view.exit_code == exit_code_of(text); }) &&
           filters.any("status", [&](const auto& text) { return view.state == text; }) &&
           filters.any("ancestor", [&](const auto& text) { return is_ancestor(view, text, lookups); }) &&
           filters.any("isolation", [](const auto& text) { return text == "default"; }) &&
           filters.any("network", [&](const auto& text) { return contains(view.networks, text); }) &&
           filters.any("volume", [&](const auto& text) { return contains(view.mounts, text); }) &&
           filters.any("publish", [&](const auto& text) { return has_port(view, text, true); }) &&
           filters.any("expose", [&](const auto& text) { return has_port(view, text, false); }) &&
           filters.any("health",
                       [&](const auto& text) { return view.health.empty() ? text == "none" : view.health == text; }) &&
           filters.labels(view.labels) && !filters.truth("is-task", false);
}

const ContainerView& find(const std::vector<ContainerView>& views, const std::string& reference) {
    for (const auto& view : views)
        if (view.name == reference || view.id == reference) return view;
    for (const auto& view : views)
        if (!reference.empty() && view.id.starts_with(reference)) return view;
    throw make_error(ErrorKind::not_found, "no such container: {}", reference);
}

}  // namespace

Filters ps_filters(const std::vector<std::string>& texts) {
    Filters filters(texts, {"ancestor", "before", "expose", "exited", "health", "id", "is-task", "isolation", "label",
                            "name", "network", "publish", "since", "status", "volume"});
    check_values(filters);
    return filters;
}

std::vector<ContainerView> select_containers(std::vector<ContainerView> views, const Filters& filters,
                                             const PsOptions& options, const PsLookups& lookups) {
    std::stable_sort(views.begin(), views.end(),
                     [](const auto& a, const auto& b) { return a.created_at > b.created_at; });
    std::int64_t before = INT64_MAX, since = 0;
    for (const auto& text : filters.values("before")) before = find(views, text).created_at;
    for (const auto& text : filters.values("since")) since = find(views, text).created_at;
    const bool any_state = options.all || options.last >= 0 || filters.has("status") || filters.has("exited");
    std::erase_if(views, [&](const ContainerView& view) {
        if (!any_state && !is_alive(view)) return true;
        return view.created_at >= before || view.created_at <= since || !is_wanted(view, filters, lookups);
    });
    if (options.last >= 0 && views.size() > static_cast<std::size_t>(options.last))
        views.resize(static_cast<std::size_t>(options.last));
    return views;
}

Listing container_listing(const std::vector<ContainerView>& views, std::int64_t now_ns, const PsOptions& options,
                          const PsLookups& lookups) {
    Listing out;
    out.columns = {{"ID", "CONTAINER ID"}, {"Image", "IMAGE"}, {"Command", "COMMAND"}, {"RunningFor", "CREATED"},
                   {"Status", "STATUS"},   {"Ports", "PORTS"}, {"Names", "NAMES"}};
    if (options.size) out.columns.push_back({"Size", "SIZE"});
    out.more = {{"CreatedAt", "CREATED AT"},
                {"Labels", "LABELS"},
                {"LocalVolumes", "LOCAL VOLUMES"},
                {"Mounts", "MOUNTS"},
                {"Networks", "NETWORKS"},
                {"State", "STATE"},
                {"Size", "SIZE"},
                {"Platform", "PLATFORM"},
                {"Health", "HEALTH"},
                {"Project", "PROJECT"}};
    out.raw = std::string(kRawContainer) + (options.size ? "size: {{.Size}}\n" : "");
    for (const auto& view : views) {
        const auto named = std::count_if(view.mounts.begin(), view.mounts.end(),
                                         [](const std::string& mount) { return !mount.starts_with('/'); });
        out.rows.push_back({{"Command", render_command(view.command, options.no_trunc)},
                            {"CreatedAt", render_time(view.created_at)},
                            {"Health", view.health},
                            {"ID", options.no_trunc ? view.id : std::string(short_id(view.id))},
                            {"Image", view.image},
                            {"Labels", labels_text(view.labels)},
                            {"LocalVolumes", std::to_string(named)},
                            {"Mounts", render_mounts(view.mounts, options.no_trunc)},
                            {"Names", view.name},
                            {"Networks", join(view.networks, ",")},
                            {"Platform", nullptr},
                            {"Ports", render_publishers(view.publishers)},
                            {"Project", view.project == kStandaloneProject ? "" : view.project},
                            {"RunningFor", render_age(view.created_at, now_ns)},
                            {"Size", options.size && lookups.size_text ? lookups.size_text(view.id) : "0B"},
                            {"State", view.state},
                            {"Status", view.status}});
        json::object labels;
        for (const auto& [key, value] : view.labels) labels[key] = value;
        out.methods.push_back({{"Label", std::move(labels)}});
    }
    return out;
}

}  // namespace compose::cli
