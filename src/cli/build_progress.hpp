// What a build says, on stderr: one line an event, a live view, or JSON. And how a failed one ends.
#pragma once

#include <compose/build.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace compose::cli {

class Context;

enum class BuildProgressMode { plain, tty, json, quiet };
/// "auto", "plain", "tty", "rawjson" (or "json"), "quiet"; throws Error(usage).
[[nodiscard]] BuildProgressMode build_progress_mode(const Context& context, const std::string& name);

class BuildProgress : public BuildSink {
public:
    /// Draws what is left; call it before anything else is printed. Idempotent.
    virtual void finish() = 0;
    /// Runs `print`, which writes lines to stderr, with nothing drawn in its way; then goes on.
    virtual void interrupt(const std::function<void()>& print) = 0;
};
[[nodiscard]] std::unique_ptr<BuildProgress> make_build_progress(const Context& context, BuildProgressMode mode);

/// Findings with their carets, then what the failed step wrote. Returns the exit status.
int report_build_failure(const Context& context, const BuildFailure& failure, const Diagnostics& findings);
/// The warnings of a build that went well.
void report_build_warnings(const Context& context, const Diagnostics& findings, const BuildResult& result);

/// Bytes as they came, as lines; control characters other than tabs are left out.
class LineCutter {
public:
    /// The lines that are whole now.
    [[nodiscard]] std::vector<std::string> add(std::string_view bytes);
    /// What is left without an end.
    [[nodiscard]] std::vector<std::string> rest();

private:
    std::string pending_;
};

}  // namespace compose::cli
