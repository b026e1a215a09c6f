// Progress of an operation, told by the engine's worker threads, shown on stderr: a live table, one line an event,
// JSON, or nothing. The renderers are pure; Progress owns the screen.
#pragma once

#include <compose/events.hpp>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace compose::cli {

enum class ProgressMode { tty, plain, json, quiet };

struct ProgressOptions {
    ProgressMode mode = ProgressMode::plain;
    bool color = false;
    bool dry_run = false;
    bool to_stdout = false;  // COMPOSE_STATUS_STDOUT
    std::string title{};     // "up"
};

/// One resource of the live table.
struct ProgressRow {
    Event event;           // the last one
    double seconds = 0.0;  // since the first one, or until it was done
};

/// " Container p-web-1 Started"; a message without an id becomes "warning: ...".
[[nodiscard]] std::string render_plain(const Event& event, const ProgressOptions& options);
/// One JSON object: dry-run, id, parent_id, status, text, details, current, total, percent; empty ones are left out.
[[nodiscard]] std::string render_json(const Event& event, const ProgressOptions& options);
/// The live table, one line an element, none wider than `width`. When there are more rows than `height` allows, those
/// still at work stay. `frame` turns the spinner.
[[nodiscard]] std::vector<std::string> render_frame(std::span<const ProgressRow> rows, std::size_t width,
                                                    std::size_t height, std::size_t frame,
                                                    const ProgressOptions& options);

class Progress : public EventSink {
public:
    /// Draws what is left and gives the screen back. Call it before anything else is printed; idempotent.
    virtual void finish() = 0;
};
[[nodiscard]] std::unique_ptr<Progress> make_progress(const ProgressOptions& options);

}  // namespace compose::cli
