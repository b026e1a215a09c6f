// Findings about text that a user wrote: each with its place, all collected, printed sorted and once.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace compose {

/// A place in a source text. `line` and `column` are 1-based; line 0 means "no place". `file` indexes a SourceMap.
struct SourcePos {
    std::uint32_t file = 0;
    std::uint32_t line = 0;
    std::uint32_t column = 0;

    [[nodiscard]] bool known() const noexcept { return line != 0; }
    friend auto operator<=>(const SourcePos&, const SourcePos&) = default;
};

/// The texts that positions point into. Index 0 is reserved for "no file".
class SourceMap {
public:
    SourceMap();
    /// Keeps `text` for excerpts; returns the index for SourcePos::file.
    std::uint32_t add(std::string name, std::string text);
    [[nodiscard]] const std::string& name(std::uint32_t file) const;
    [[nodiscard]] std::string_view text(std::uint32_t file) const;
    /// The source line without its line end; empty when out of range.
    [[nodiscard]] std::string_view line(SourcePos pos) const;

private:
    struct File {
        std::string name;
        std::string text;
        std::vector<std::size_t> lines;  // where each begins; filled by the first line() that asks
    };
    mutable std::deque<File> files_;
};

enum class Severity { error, warning };

struct Diagnostic {
    Severity severity = Severity::error;
    SourcePos pos;
    std::string path;     // "services.web.ports[0]", or empty
    std::string message;  // lower case, no full stop, says what to do where that is short
    std::string hint;     // advice under the caret, or empty

    friend auto operator<=>(const Diagnostic&, const Diagnostic&) = default;
};

/// Collects findings; never throws on them. Keeps the first kMaxFindings errors and as many warnings: a hostile file
/// can have one mistake a byte.
class Diagnostics {
public:
    static constexpr std::size_t kMaxFindings = 500;
    SourceMap sources;

    void error(SourcePos pos, std::string path, std::string message, std::string hint = {});
    void warning(SourcePos pos, std::string path, std::string message, std::string hint = {});
    [[nodiscard]] bool has_errors() const noexcept { return errors_ > 0; }
    [[nodiscard]] std::size_t error_count() const noexcept { return errors_; }
    /// Sorted by file, line and column; duplicates removed.
    [[nodiscard]] std::vector<Diagnostic> sorted() const;

private:
    std::vector<Diagnostic> items_;
    std::size_t errors_ = 0;
    std::size_t warnings_ = 0;
};

/// One finding as text: `file:line:column: error: path: message`, the source line and a caret. No trailing newline.
/// `color` adds ANSI colours. Control characters of the excerpt are replaced, tabs are kept aligned.
std::string render(const Diagnostic& finding, const SourceMap& sources, bool color);

}  // namespace compose
