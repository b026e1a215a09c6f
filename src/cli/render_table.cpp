#include "cli/render_table.hpp"

#include <chrono>
#include <ctime>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"

namespace compose::cli {

namespace {

constexpr std::size_t kShortCommand = 20;
constexpr std::size_t kShortMount = 15;
constexpr const char* kEngineLabel = "com.docker.compose.engine";  // of another engine that runs it

std::string ellipsis(const std::string& text, std::size_t limit) {
    if (display_width(text) <= limit) return text;
    std::string out;
    std::size_t characters = 0;
    for (const char c : text) {
        if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U && ++characters == limit) break;
        out += c;
    }
    return out + "…";
}

bool has_engine(const ContainerView& view) {
    const auto label = view.labels.find(kEngineLabel);
    return label != view.labels.end() && !label->second.empty();
}

}  // namespace

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\033' && i + 1 < text.size() && text[i + 1] == '[') {
            while (i < text.size() && text[i] != 'm') ++i;
            continue;
        }
        if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) ++width;
    }
    return width;
}

std::string Table::text() const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
        widths.resize(std::max(widths.size(), row.size()), spacing_.minimum);
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], display_width(row[i]) + spacing_.gap);
    }
    std::string out;
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            out += row[i];
            if (i + 1 < row.size()) out.append(widths[i] - display_width(row[i]), ' ');
        }
        out += '\n';
    }
    return out;
}

std::string render_publishers(const std::vector<Publisher>& publishers) {
    struct Range {
        Publisher first;
        int length = 1;
    };
    std::vector<Range> ranges;
    for (const auto& port : publishers) {
        // Of both families there are two ranges, whose ports come by turns.
        const auto range = std::find_if(ranges.begin(), ranges.end(), [&](const Range& known) {
            const auto follows = [&](std::uint16_t start, std::uint16_t value) {
                return start + known.length == value;
            };
            const bool published = known.first.published != 0;
            return (!published || known.first.url == port.url) && known.first.protocol == port.protocol &&
                   published == (port.published != 0) && follows(known.first.target, port.target) &&
                   (!published || follows(known.first.published, port.published));
        });
        // One that is reached by routes is there for each family, and has no address to tell them apart.
        const auto again = std::find_if(ranges.begin(), ranges.end(), [&](const Range& known) {
            return known.first.published == 0 && port.published == 0 && known.first.protocol == port.protocol &&
                   known.first.target <= port.target && port.target < known.first.target + known.length;
        });
        if (again != ranges.end()) continue;
        if (range != ranges.end())
            ++range->length;
        else
            ranges.push_back({port});
    }
    const auto span = [](int first, int length) {
        return length == 1 ? fmt::format("{}", first) : fmt::format("{}-{}", first, first + length - 1);
    };
    std::string out;
    for (const auto& [port, length] : ranges) {
        if (!out.empty()) out += ", ";
        if (port.published != 0) out += fmt::format("{}{}->", address_prefix(port.url), span(port.published, length));
        out += fmt::format("{}/{}", span(port.target, length), port.protocol);
    }
    return out;
}

std::string render_age(std::int64_t then_ns, std::int64_t now_ns) {
    if (then_ns == 0) return "N/A";
    const auto age = std::chrono::nanoseconds(std::max<std::int64_t>(0, now_ns - then_ns));
    return human_duration(std::chrono::duration_cast<std::chrono::seconds>(age)) + " ago";
}

std::string render_time(std::int64_t time_ns) {
    const auto seconds = static_cast<std::time_t>(time_ns / 1'000'000'000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} +0000 UTC", parts.tm_year + 1900, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string render_command(const std::string& command, bool whole) {
    return quote(whole ? command : ellipsis(command, kShortCommand));
}

std::string render_mounts(const std::vector<std::string>& mounts, bool whole) {
    std::vector<std::string> names;
    for (const auto& mount : mounts) names.push_back(whole ? mount : ellipsis(mount, kShortMount));
    return join(names, ",");
}

Listing compose_listing(const std::vector<ContainerView>& views, std::int64_t now_ns, bool whole,
                        const SizeText& size_text) {
    Listing out;
    out.columns = {{"Name", "NAME"},          {"Image", "IMAGE"},   {"Command", "COMMAND"}, {"Service", "SERVICE"},
                   {"RunningFor", "CREATED"}, {"Status", "STATUS"}, {"Ports", "PORTS"}};
    if (std::any_of(views.begin(), views.end(), has_engine)) out.columns.push_back({"Engine", "ENGINE"});
    out.more = {{"CreatedAt", "CREATED AT"},
                {"Engine", "ENGINE"},
                {"ExitCode", "EXIT CODE"},
                {"Health", "HEALTH"},
                {"ID", "CONTAINER ID"},
                {"Labels", "LABELS"},
                {"LocalVolumes", "LOCAL VOLUMES"},
                {"Mounts", "MOUNTS"},
                {"Names", "NAMES"},
                {"Networks", "NETWORKS"},
                {"Project", "PROJECT"},
                {"Publishers", "PUBLISHERS"},
                {"Size", "SIZE"},
                {"State", "STATE"}};
    out.raw = kRawContainer;
    for (const auto& view : views) {
        json::array publishers;
        for (const auto& port : view.publishers)
            publishers.push_back(json::object{{"URL", port.url},
                                              {"TargetPort", port.target},
                                              {"PublishedPort", port.published},
                                              {"Protocol", port.protocol}});
        const auto named = std::count_if(view.mounts.begin(), view.mounts.end(),
                                         [](const std::string& mount) { return !mount.starts_with('/'); });
        const json::object object{{"Command", render_command(view.command, whole)},
                                  {"CreatedAt", render_time(view.created_at)},
                                  {"Engine", has_engine(view) ? view.labels.at(kEngineLabel) : ""},
                                  {"ExitCode", view.exit_code},
                                  {"Health", view.health},
                                  {"ID", whole ? view.id : std::string(short_id(view.id))},
                                  {"Image", view.image},
                                  {"Labels", labels_text(view.labels)},
                                  {"LocalVolumes", std::to_string(named)},
                                  {"Mounts", render_mounts(view.mounts, whole)},
                                  {"Name", view.name},
                                  {"Names", view.name},
                                  {"Networks", join(view.networks, ",")},
                                  {"Ports", render_publishers(view.publishers)},
                                  {"Project", view.project},
                                  {"Publishers", std::move(publishers)},
                                  {"RunningFor", render_age(view.created_at, now_ns)},
                                  {"Service", view.service},
                                  {"Size", size_text ? size_text(view.id) : "0B"},
                                  {"State", view.state},
                                  {"Status", view.status + (view.cause.empty() ? "" : " (" + view.cause + ")")}};
        out.rows.push_back(object);
        json::object labels;
        for (const auto& [key, value] : view.labels) labels[key] = value;
        out.methods.push_back({{"Label", std::move(labels)}});
    }
    return out;
}

}  // namespace compose::cli
