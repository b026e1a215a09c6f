#include "cli/log_printer.hpp"

#include <array>

#include "base/json.hpp"
#include "cli/output.hpp"
#include "cli/render_table.hpp"
#include "sys/clock.hpp"

namespace compose::cli {

namespace {

// Cyan, yellow, green, magenta, blue, bright cyan: never red, which reads as an error.
constexpr std::array kColors{"36", "33", "32", "35", "34", "96"};
constexpr std::size_t kLongestLine = std::size_t{1} << 20U;  // then a line without an end is shown in parts
constexpr std::size_t kBuffer = std::size_t{64} << 10U;

/// What would end a detail early.
std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text)
        if (c == ',' || c == '=' || c == '%' || c == ' ' || static_cast<unsigned char>(c) < 0x20)
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        else
            out += c;
    return out;
}

}  // namespace

std::string log_time(std::int64_t time_ns) {
    return sys::rfc3339(sys::WallTime(std::chrono::nanoseconds(time_ns)));
}

std::string log_name(const std::string& container, const std::string& project) {
    // One that is about to take another's place has its id in front of the name until then.
    const bool temporary =
        container.size() > 13 && container[12] == '_' && container.find_first_not_of("0123456789abcdef") == 12;
    if (temporary) return log_name(container.substr(13), project);
    return container.starts_with(project + "-") || container.starts_with(project + "_")
               ? container.substr(project.size() + 1)
               : container;
}

LogPrinter::Sink standard_output() {
    return [](std::string_view text, bool) { cli::print(text); };
}

LogPrinter::Sink standard_streams() {
    return [](std::string_view text, bool error) {
        if (error)
            print_error(text);
        else
            cli::print(text);
    };
}

LogPrinter::LogPrinter(LogStyle style, Sink sink) : style_(style), sink_(std::move(sink)) {}

void LogPrinter::add(const std::string& container_id, const std::string& name, const std::string& service,
                     const std::string& container, const std::map<std::string, std::string>& details) {
    auto& source = sources_.try_emplace(container_id).first->second;
    if (source.name.empty()) source.color = (sources_.size() - 1) % kColors.size();
    source.name = name;
    source.service = service;
    source.container = container;
    source.details = details;
    width_ = std::max(width_, display_width(name) + 1);
}

void LogPrinter::print(const LogEntry& entry) {
    auto& source = sources_[entry.container_id];
    auto& pieces = source.pieces[entry.error ? 1 : 0];
    auto& time = source.times[entry.error ? 1 : 0];
    if (pieces.empty()) time = entry.time;
    if (!entry.partial && pieces.empty()) {
        line(source, entry.time, entry.text, entry.error);
        return;
    }
    pieces += entry.text;
    if (entry.partial && pieces.size() < kLongestLine) return;
    line(source, time, pieces, entry.error);
    pieces.clear();
}

void LogPrinter::end(const std::string& container_id) {
    const auto found = sources_.find(container_id);
    if (found == sources_.end()) return;
    for (int stream = 0; stream < 2; ++stream) {
        auto& pieces = found->second.pieces[stream];
        if (!pieces.empty()) line(found->second, found->second.times[stream], pieces, stream == 1);
        pieces.clear();
    }
}

void LogPrinter::note(const std::string& container_id, const std::string& text) {
    end(container_id);
    if (style_.json) return;
    const auto& source = sources_[container_id];
    if (style_.color)
        append(fmt::format("\033[{}m{} {}\033[0m\n", kColors[source.color], source.name, text), false);
    else
        append(source.name + " " + text + "\n", false);
}

void LogPrinter::line(const Source& source, std::int64_t time, std::string_view text, bool error) {
    if (style_.wanted && !style_.wanted(text)) return;
    if (style_.json) {
        json::object object{{"time", log_time(time)},
                            {"service", source.service},
                            {"container", source.container},
                            {"stream", error ? "stderr" : "stdout"},
                            {"message", std::string(text)}};
        for (const auto& [key, value] : source.details) {
            if (!object.contains("attrs")) object["attrs"] = json::object();
            object["attrs"].as_object()[key] = value;
        }
        return append(json::serialize(object) + "\n", false);
    }
    std::string out;
    if (style_.prefix) {
        const std::string gap(width_ - std::min(width_, display_width(source.name)), ' ');
        out = style_.color ? fmt::format("\033[{}m{}{}|\033[0m ", kColors[source.color], source.name, gap + " ")
                           : source.name + gap + " | ";
    }
    if (style_.timestamps) out += log_time(time) + " ";
    if (style_.details) {
        std::string details;
        for (const auto& [key, value] : source.details)
            details += (details.empty() ? "" : ",") + escaped(key) + "=" + escaped(value);
        out += details + " ";
    }
    out += text;
    out += '\n';
    append(out, error);
}

void LogPrinter::append(std::string_view text, bool error) {
    if (error != buffer_is_error_ || buffer_.size() >= kBuffer) flush();
    buffer_is_error_ = error;
    buffer_ += text;
}

void LogPrinter::flush() {
    if (buffer_.empty()) return;
    // Cleared first: when the sink throws, the same text must not come again.
    const std::string text = std::exchange(buffer_, {});
    sink_(text, buffer_is_error_);
}

}  // namespace compose::cli
