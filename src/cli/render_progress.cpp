#include "cli/render_progress.hpp"

#include "base/json.hpp"
#include "base/units.hpp"
#include "cli/output.hpp"
#include "cli/render_table.hpp"

namespace compose::cli {

namespace {

constexpr std::array kSpinner{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};

bool is_working(const ProgressRow& row) {
    return row.event.status == Event::Status::working;
}

std::string paint(std::string_view text, const char* code, bool color) {
    return color ? fmt::format("\033[{}m{}\033[0m", code, text) : std::string(text);
}

/// Cut to `width` columns; an open colour is closed again.
std::string clip(const std::string& text, std::size_t width) {
    if (display_width(text) <= width) return text;
    std::string out;
    std::size_t used = 0;
    bool colored = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\033') {
            const auto end = std::min(text.find('m', i), text.size() - 1);
            colored = text.compare(i, end - i + 1, "\033[0m") != 0;
            out.append(text, i, end - i + 1);
            i = end;
            continue;
        }
        const bool starts = (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U;
        if (starts && ++used > width) break;
        out += text[i];
    }
    return colored ? out + "\033[0m" : out;
}

std::string amount(const Event& event) {
    if (event.total <= 0 || event.status != Event::Status::working) return {};
    return fmt::format("  {}/{}", human_size(event.current), human_size(event.total));
}

std::string render_row(const ProgressRow& row, std::size_t id_width, std::size_t text_width, std::size_t frame,
                       bool color) {
    const auto& event = row.event;
    std::string mark;
    const char* code = "32";
    switch (event.status) {
        case Event::Status::working:
            mark = kSpinner[frame % kSpinner.size()];
            code = "34";
            break;
        case Event::Status::done:
            mark = "✔";
            break;
        case Event::Status::warning:
            mark = "!";
            code = "33";
            break;
        case Event::Status::error:
            mark = "✘";
            code = "31";
            break;
    }
    std::string out = fmt::format(" {} {}", paint(mark, code, color), event.id);
    out.append(id_width - display_width(event.id), ' ');
    out += "  " + paint(event.text, code, color);
    out.append(text_width - display_width(event.text), ' ');
    out += fmt::format("  {:4.1f}s", row.seconds) + amount(event);
    // A reason may have several lines; the table has one.
    auto details = event.details.substr(0, event.details.find('\n'));
    if (!details.empty() && event.status != Event::Status::working) out += "  " + details;
    return out;
}

/// Indices of the rows to show, in order: those at work and those that failed first of all, then the latest.
std::vector<std::size_t> choose(std::span<const ProgressRow> rows, std::size_t room) {
    std::vector<std::size_t> chosen;
    const auto add = [&](auto&& wanted) {
        for (std::size_t i = rows.size(); i-- > 0 && chosen.size() < room;)
            if (wanted(rows[i]) && std::find(chosen.begin(), chosen.end(), i) == chosen.end()) chosen.push_back(i);
    };
    add([](const ProgressRow& row) { return row.event.status == Event::Status::error; });
    add([](const ProgressRow& row) { return is_working(row); });
    add([](const ProgressRow&) { return true; });
    std::sort(chosen.begin(), chosen.end());
    return chosen;
}

}  // namespace

std::string render_plain(const Event& event, const ProgressOptions& options) {
    if (event.id.empty()) return labelled("warning", event.text, event.details, options.color);
    std::string out = fmt::format("{} {} {}", options.dry_run ? " DRY-RUN MODE - " : "", event.id, event.text);
    if (!event.details.empty()) out += " " + event.details;
    return out + "\n";
}

std::string render_json(const Event& event, const ProgressOptions& options) {
    json::object out;
    if (options.dry_run) out["dry-run"] = true;
    if (!event.id.empty()) out["id"] = event.id;
    if (!event.parent.empty()) out["parent_id"] = event.parent;
    switch (event.status) {
        case Event::Status::working:
            out["status"] = "Working";
            break;
        case Event::Status::done:
            out["status"] = "Done";
            break;
        case Event::Status::warning:
            out["status"] = "Warning";
            break;
        case Event::Status::error:
            out["status"] = "Error";
            break;
    }
    if (!event.text.empty()) out["text"] = event.text;
    if (!event.details.empty()) out["details"] = event.details;
    if (event.current != 0) out["current"] = event.current;
    if (event.total != 0) {
        out["total"] = event.total;
        out["percent"] = event.current * 100 / event.total;
    }
    return json::serialize(out) + "\n";
}

std::vector<std::string> render_frame(std::span<const ProgressRow> rows, std::size_t width, std::size_t height,
                                      std::size_t frame, const ProgressOptions& options) {
    std::size_t id_width = 0;
    std::size_t text_width = 0;
    std::size_t finished = 0;
    for (const auto& row : rows) {
        id_width = std::max(id_width, display_width(row.event.id));
        text_width = std::max(text_width, display_width(row.event.text));
        if (!is_working(row)) ++finished;
    }
    const auto count = fmt::format("{}/{}", finished, rows.size());
    std::vector<std::string> out;
    out.push_back(paint(fmt::format("[+] {} {}{}", options.title, count, options.dry_run ? " (dry run)" : ""), "34",
                        options.color && finished < rows.size()));
    for (const auto i : choose(rows, height > 1 ? height - 1 : 1))
        out.push_back(render_row(rows[i], id_width, text_width, frame, options.color));
    for (auto& line : out) line = clip(line, width);
    return out;
}

}  // namespace compose::cli
