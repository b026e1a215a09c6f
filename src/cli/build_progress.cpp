#include "cli/build_progress.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/project.hpp"
#include "sys/clock.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

using Kind = BuildEvent::Kind;
using StepKey = std::pair<std::string, int>;  // build and step
constexpr std::size_t kMaxLine = 4096;

const char* name_of(Kind kind) {
    switch (kind) {
        case Kind::started:
            return "started";
        case Kind::output:
            return "output";
        case Kind::cached:
            return "cached";
        case Kind::done:
            return "done";
        case Kind::failed:
            return "failed";
        case Kind::warning:
            return "warning";
    }
    return "";
}

std::string title_of(const BuildEvent& event) {
    if (event.build.empty() || !event.title.starts_with('[')) return event.title;
    return "[" + event.build + " " + event.title.substr(1);
}

class PlainProgress final : public BuildProgress {
public:
    void on_build_event(const BuildEvent& event) override {
        const std::lock_guard lock(mutex_);
        auto& step = steps_[{event.build, event.step}];
        if (step.number == 0) step.number = ++last_;
        std::string out;
        const auto line = [&](const std::string& text) { out += fmt::format("#{} {}\n", step.number, text); };
        const auto put_lines = [&](const std::vector<std::string>& lines) {
            for (const auto& text : lines) line(fmt::format("{:.3f} {}", event.seconds, text));
        };
        switch (event.kind) {
            case Kind::started:
                line(title_of(event));
                break;
            case Kind::output:
                put_lines(step.cutter.add(event.text));
                break;
            case Kind::cached:
                line("CACHED");
                break;
            case Kind::done:
                put_lines(step.cutter.rest());
                line(fmt::format("DONE {:.1f}s", event.seconds));
                break;
            case Kind::failed:
                put_lines(step.cutter.rest());
                line("ERROR: " + event.text);
                break;
            case Kind::warning:
                line("WARNING: " + event.text);
                break;
        }
        if (!out.empty()) print_error(out);
    }
    void finish() override {}
    void interrupt(const std::function<void()>& print) override {
        const std::lock_guard lock(mutex_);
        print();
    }

private:
    struct Step {
        int number = 0;
        LineCutter cutter;
    };
    std::mutex mutex_;
    std::map<StepKey, Step> steps_;
    int last_ = 0;
};

class JsonProgress final : public BuildProgress {
public:
    void on_build_event(const BuildEvent& event) override {
        json::object out{{"event", name_of(event.kind)}, {"step", event.step}, {"name", title_of(event)}};
        if (!event.build.empty()) out["service"] = event.build;
        if (!event.text.empty()) out["data"] = is_valid_utf8(event.text) ? event.text : quote(event.text);
        if (event.kind != Kind::started) out["seconds"] = event.seconds;
        const std::lock_guard lock(mutex_);
        print_error(json::serialize(out) + "\n");
    }
    void finish() override {}
    void interrupt(const std::function<void()>& print) override {
        const std::lock_guard lock(mutex_);
        print();
    }

private:
    std::mutex mutex_;
};

class QuietProgress final : public BuildProgress {
public:
    void on_build_event(const BuildEvent&) override {}
    void finish() override {}
    void interrupt(const std::function<void()>& print) override { print(); }
};

/// Steps that are done stay as lines; those at work are below them, with the last lines that they wrote.
class TerminalProgress final : public BuildProgress {
public:
    explicit TerminalProgress(bool color) : color_(color), began_(sys::monotonic_now()) {}
    ~TerminalProgress() override { TerminalProgress::finish(); }

    void on_build_event(const BuildEvent& event) override {
        const std::lock_guard lock(mutex_);
        if (finished_) return;
        auto& step = steps_[{event.build, event.step}];
        if (event.kind == Kind::started) {
            step.title = title_of(event);
            step.since = sys::monotonic_now();
            order_.push_back({event.build, event.step});
        } else if (event.kind == Kind::output) {
            for (auto& line : step.cutter.add(event.text)) step.lines.push_back(std::move(line));
            constexpr std::size_t kShown = 6;
            if (step.lines.size() > kShown) step.lines.erase(step.lines.begin(), step.lines.end() - kShown);
        } else if (event.kind == Kind::warning) {
            LineCutter cutter;
            for (const auto& line : cutter.add(event.text + "\n"))
                above_ += colored("33", " => WARNING: " + line) + "\n";
        } else {
            const auto mark = event.kind == Kind::failed ? "ERROR" : event.kind == Kind::cached ? "CACHED" : "";
            ++done_;
            above_ += colored(event.kind == Kind::failed ? "31" : "34",
                              fmt::format(" => {}{}{}", mark, *mark == '\0' ? "" : " ", step.title)) +
                      fmt::format("  {:.1f}s\n", event.seconds);
            std::erase(order_, StepKey{event.build, event.step});
        }
        if (!thread_.joinable()) thread_ = std::jthread([this](const std::stop_token& stop) { redraw(stop); });
    }

    void finish() override {
        thread_ = {};
        const std::lock_guard lock(mutex_);
        if (std::exchange(finished_, true)) return;
        order_.clear();
        draw();
    }

    void interrupt(const std::function<void()>& print) override {
        const std::lock_guard lock(mutex_);
        auto working = std::exchange(order_, {});
        draw();
        print();
        order_ = std::move(working);
    }

private:
    struct Step {
        std::string title;
        sys::MonotonicTime since;
        LineCutter cutter;
        std::vector<std::string> lines;
    };

    [[nodiscard]] std::string colored(const char* code, const std::string& text) const {
        return color_ ? fmt::format("\033[{}m{}\033[0m", code, text) : text;
    }

    void redraw(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (!stop.stop_requested()) {
            draw();
            wake_.wait_for(lock, stop, std::chrono::milliseconds(100), [] { return false; });
        }
    }

    void draw() {
        const auto size = sys::window_size(sys::FdRef(2)).value_or(sys::WindowSize{24, 80});
        const auto width = std::max<std::size_t>(size.columns, 20) - 1;
        const auto now = sys::monotonic_now();
        std::vector<std::string> lines;
        for (const auto& key : order_) {
            const auto& step = steps_[key];
            const auto seconds = std::chrono::duration<double>(now - step.since).count();
            lines.push_back(cut(fmt::format(" => {}", step.title), width - 8) + fmt::format("  {:.1f}s", seconds));
            for (const auto& line : step.lines) lines.push_back(cut(" => => " + line, width));
        }
        const auto room = static_cast<std::size_t>(std::max<int>(size.rows, 4)) - 2;
        if (lines.size() > room) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(room));
        std::string out;
        if (drawn_ > 0) out += fmt::format("\033[{}A\r", drawn_);
        out += "\033[J" + std::exchange(above_, {});
        for (const auto& line : lines) out += line + "\n";
        drawn_ = lines.size();
        print_error(out);
    }

    static std::string cut(const std::string& text, std::size_t width) {
        if (text.size() <= width) return text;
        auto end = width;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
        return text.substr(0, end);
    }

    bool color_;
    sys::MonotonicTime began_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::map<StepKey, Step> steps_;
    std::vector<StepKey> order_;
    std::string above_;
    std::size_t drawn_ = 0;
    int done_ = 0;
    bool finished_ = false;
    std::jthread thread_;
};

}  // namespace

std::vector<std::string> LineCutter::add(std::string_view bytes) {
    std::vector<std::string> out;
    for (const char c : bytes) {
        if (c == '\n' || pending_.size() >= kMaxLine) {
            out.push_back(std::exchange(pending_, {}));
            if (c == '\n') continue;
        }
        // A carriage return begins the line anew, as progress bars do; escapes must not reach the terminal.
        if (c == '\t' || static_cast<unsigned char>(c) >= ' ') pending_ += c == 0x7f ? '?' : c;
    }
    return out;
}

std::vector<std::string> LineCutter::rest() {
    if (pending_.empty()) return {};
    return {std::exchange(pending_, {})};
}

BuildProgressMode build_progress_mode(const Context& context, const std::string& name) {
    if (name == "plain") return BuildProgressMode::plain;
    if (name == "tty") return BuildProgressMode::tty;
    if (name == "rawjson" || name == "json") return BuildProgressMode::json;
    if (name == "quiet") return BuildProgressMode::quiet;
    if (!name.empty() && name != "auto")
        throw make_error(ErrorKind::usage, "invalid value {} for --progress", quote(name))
            .with_hint("use auto, plain, tty, rawjson or quiet");
    switch (context.progress_mode) {
        case ProgressMode::tty:
            return BuildProgressMode::tty;
        case ProgressMode::json:
            return BuildProgressMode::json;
        case ProgressMode::quiet:
            return BuildProgressMode::quiet;
        case ProgressMode::plain:
            break;
    }
    return BuildProgressMode::plain;
}

std::unique_ptr<BuildProgress> make_build_progress(const Context& context, BuildProgressMode mode) {
    switch (mode) {
        case BuildProgressMode::tty:
            return std::make_unique<TerminalProgress>(context.color_err);
        case BuildProgressMode::json:
            return std::make_unique<JsonProgress>();
        case BuildProgressMode::quiet:
            return std::make_unique<QuietProgress>();
        case BuildProgressMode::plain:
            break;
    }
    return std::make_unique<PlainProgress>();
}

int report_build_failure(const Context& context, const BuildFailure& failure, const Diagnostics& findings) {
    if (!failure.output.empty()) {
        std::string out = "------\n";
        LineCutter cutter;
        for (const auto& line : cutter.add(failure.output + "\n")) out += " > " + line + "\n";
        print_error(out + "------\n");
    }
    if (findings.has_errors())
        print_findings(context, findings.sorted(), findings.sources);
    else
        print_error(labelled("error", failure.what(), failure.hint(), context.color_err));
    return failure.exit_code();
}

void report_build_warnings(const Context& context, const Diagnostics& findings, const BuildResult& result) {
    print_findings(context, findings.sorted(), findings.sources);
    if (!result.unused_args.empty())
        print_error(labelled("warning",
                             fmt::format("build arguments that no ARG takes: {}", join(result.unused_args, ", ")), "",
                             context.color_err));
}

}  // namespace compose::cli
