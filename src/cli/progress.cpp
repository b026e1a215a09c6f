// The four Progress kinds of render_progress.hpp: locks, the clock, the redraw thread and the screen.
#include <condition_variable>
#include <limits>
#include <mutex>
#include <thread>

#include "cli/output.hpp"
#include "cli/render_progress.hpp"
#include "sys/clock.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

class LineProgress : public Progress {
public:
    using Render = std::string (*)(const Event&, const ProgressOptions&);
    LineProgress(ProgressOptions options, Render render) : options_(std::move(options)), render_(render) {}

    void on_event(const Event& event) override {
        const std::lock_guard lock(mutex_);
        // Many events of one kind (bytes of a download) are one line.
        auto line = render_(event, options_);
        auto& last = last_[event.id];
        if (line == last) return;
        print_progress(options_.to_stdout, line);
        last = std::move(line);
    }
    void finish() override {}

private:
    ProgressOptions options_;
    Render render_;
    std::mutex mutex_;
    std::map<std::string, std::string> last_;  // by resource
};

/// Only what is no progress at all: warnings about the project.
class QuietProgress : public Progress {
public:
    explicit QuietProgress(ProgressOptions options) : options_(std::move(options)) {}
    void on_event(const Event& event) override {
        if (event.id.empty()) print_error(render_plain(event, options_));
    }
    void finish() override {}

private:
    ProgressOptions options_;
};

class TerminalProgress : public Progress {
public:
    explicit TerminalProgress(ProgressOptions options)
        : options_(std::move(options)), terminal_(options_.to_stdout ? 1 : 2) {}
    ~TerminalProgress() override { TerminalProgress::finish(); }

    void on_event(const Event& event) override {
        const std::lock_guard lock(mutex_);
        if (finished_) return;
        if (event.id.empty()) {
            messages_ += render_plain(event, options_);
        } else {
            update(event);
        }
        if (!thread_.joinable()) thread_ = std::jthread([this](const std::stop_token& stop) { redraw(stop); });
        wake_.notify_one();
    }

    void finish() override {
        thread_ = {};  // stops and joins
        const std::lock_guard lock(mutex_);
        if (std::exchange(finished_, true)) return;
        if (!rows_.empty() || !messages_.empty()) draw(true);
        if (hidden_) write("\033[?25h");
    }

private:
    struct Row {
        ProgressRow shown;
        sys::MonotonicTime since;
        sys::MonotonicTime until;
    };

    void update(const Event& event) {
        const auto now = sys::monotonic_now();
        auto row = std::find_if(rows_.begin(), rows_.end(), [&](const Row& r) { return r.shown.event.id == event.id; });
        if (row == rows_.end()) row = rows_.insert(rows_.end(), Row{{event, 0.0}, now, now});
        // Work that begins again ("Created", then "Starting") counts on.
        row->shown.event = event;
        row->until = now;
    }

    void redraw(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (!stop.stop_requested()) {
            draw(false);
            wake_.wait_for(lock, stop, std::chrono::milliseconds(100), [] { return false; });
        }
    }

    void draw(bool last) {
        const auto size = sys::window_size(terminal_).value_or(sys::WindowSize{24, 80});
        std::vector<ProgressRow> rows;
        for (auto& row : rows_) {
            const auto end =
                row.shown.event.status == Event::Status::working && !last ? sys::monotonic_now() : row.until;
            row.shown.seconds = std::chrono::duration<double>(end - row.since).count();
            rows.push_back(row.shown);
        }
        std::vector<std::string> lines;
        // The last frame may scroll: nothing is drawn over it any more. The last column stays empty, since some
        // terminals wrap as soon as it is written.
        if (!rows.empty())
            lines = render_frame(rows, size.columns - 1U,
                                 last ? std::numeric_limits<std::size_t>::max() : size.rows - 1U, frame_++, options_);
        std::string out;
        if (!hidden_ && !last) out += "\033[?25l";
        hidden_ = hidden_ || !last;
        if (drawn_ > 0) out += fmt::format("\033[{}A\r", drawn_);
        out += "\033[J" + std::exchange(messages_, {});
        for (const auto& line : lines) out += line + "\n";
        drawn_ = lines.size();
        write(out);
    }

    void write(std::string_view text) const { print_progress(options_.to_stdout, text); }

    ProgressOptions options_;
    sys::FdRef terminal_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::vector<Row> rows_;
    std::string messages_;
    std::size_t drawn_ = 0;
    std::size_t frame_ = 0;
    bool hidden_ = false;
    bool finished_ = false;
    std::jthread thread_;
};

}  // namespace

std::unique_ptr<Progress> make_progress(const ProgressOptions& options) {
    switch (options.mode) {
        case ProgressMode::tty:
            return std::make_unique<TerminalProgress>(options);
        case ProgressMode::plain:
            return std::make_unique<LineProgress>(options, render_plain);
        case ProgressMode::json:
            return std::make_unique<LineProgress>(options, render_json);
        case ProgressMode::quiet:
            break;
    }
    return std::make_unique<QuietProgress>(options);
}

}  // namespace compose::cli
