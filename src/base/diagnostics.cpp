#include <algorithm>
#include <compose/diagnostics.hpp>
#include <set>

#include <fmt/format.h>

namespace compose {

SourceMap::SourceMap() {
    files_.push_back({});
}

std::uint32_t SourceMap::add(std::string name, std::string text) {
    files_.push_back({std::move(name), std::move(text), {}});
    return static_cast<std::uint32_t>(files_.size() - 1);
}

const std::string& SourceMap::name(std::uint32_t file) const {
    return files_.at(file).name;
}

std::string_view SourceMap::text(std::uint32_t file) const {
    return files_.at(file).text;
}

std::string_view SourceMap::line(SourcePos pos) const {
    if (!pos.known() || pos.file >= files_.size()) return {};
    auto& file = files_[pos.file];
    std::string_view rest = file.text;
    if (file.lines.empty()) {
        file.lines.push_back(0);
        for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n', end + 1))
            file.lines.push_back(end + 1);
    }
    if (pos.line > file.lines.size()) return {};
    rest.remove_prefix(file.lines[pos.line - 1]);
    auto line = rest.substr(0, rest.find('\n'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

void Diagnostics::error(SourcePos pos, std::string path, std::string message, std::string hint) {
    if (++errors_ > kMaxFindings + 1) return;
    if (errors_ > kMaxFindings) {
        items_.push_back({Severity::error, pos, {}, "there are more mistakes, which are not shown", {}});
        return;
    }
    items_.push_back({Severity::error, pos, std::move(path), std::move(message), std::move(hint)});
}

void Diagnostics::warning(SourcePos pos, std::string path, std::string message, std::string hint) {
    if (++warnings_ > kMaxFindings) return;
    items_.push_back({Severity::warning, pos, std::move(path), std::move(message), std::move(hint)});
}

std::vector<Diagnostic> Diagnostics::sorted() const {
    auto out = items_;
    std::stable_sort(out.begin(), out.end(), [](const Diagnostic& a, const Diagnostic& b) { return a.pos < b.pos; });
    std::set<Diagnostic> seen;
    std::erase_if(out, [&](const Diagnostic& item) { return !seen.insert(item).second; });
    return out;
}

namespace {

// Longest excerpt of a source line; more would wrap on any terminal and hide the caret.
constexpr std::size_t kExcerptWidth = 160;

struct Excerpt {
    std::string text;
    std::size_t caret = 0;  // columns before the caret
};

/// What a terminal would act upon instead of showing it becomes a question mark: control characters of ASCII and
/// Latin-1, and those that turn the direction of writing.
void append_printable(std::string& out, std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = [&](std::size_t at) {
            return at < text.size() ? static_cast<unsigned char>(text[at]) : std::uint8_t{0};
        };
        const auto c = byte(i);
        if (c == '\t') {
            out += ' ';
        } else if (c < 0x20 || c == 0x7F) {
            out += '?';
        } else if (c == 0xC2 && byte(i + 1) >= 0x80 && byte(i + 1) < 0xA0) {
            out += '?';
            ++i;
        } else if (c == 0xE2 && ((byte(i + 1) == 0x80 && byte(i + 2) >= 0xAA && byte(i + 2) <= 0xAE) ||
                                 (byte(i + 1) == 0x81 && byte(i + 2) >= 0xA6 && byte(i + 2) <= 0xA9))) {
            out += '?';
            i += 2;
        } else {
            out += static_cast<char>(c);
        }
    }
}

std::string printable(std::string_view text) {
    std::string out;
    append_printable(out, text);
    return out;
}

Excerpt excerpt_of(std::string_view line, std::uint32_t column) {
    const std::size_t at = std::min<std::size_t>(column > 0 ? column - 1 : 0, line.size());
    std::size_t from = at > kExcerptWidth / 2 && line.size() > kExcerptWidth ? at - kExcerptWidth / 2 : 0;
    while (from > 0 && (static_cast<unsigned char>(line[from]) & 0xC0) == 0x80) --from;
    Excerpt out;
    if (from > 0) out.text = "...";
    append_printable(out.text, line.substr(from, kExcerptWidth));
    out.caret = from > 0 ? 3 : 0;
    for (std::size_t i = from; i < at; ++i) out.caret += (static_cast<unsigned char>(line[i]) & 0xC0) != 0x80;
    return out;
}

}  // namespace

std::string render(const Diagnostic& finding, const SourceMap& sources, bool color) {
    const char* red = !color ? "" : finding.severity == Severity::error ? "\033[1;31m" : "\033[1;33m";
    const char* bold = color ? "\033[1m" : "";
    const char* off = color ? "\033[0m" : "";
    std::string out;
    if (finding.pos.known()) {
        const auto& pos = finding.pos;
        out = fmt::format("{}{}:{}:{}:{} ", bold, sources.name(pos.file), pos.line, pos.column, off);
    } else if (finding.pos.file != 0) {
        out = fmt::format("{}{}:{} ", bold, sources.name(finding.pos.file), off);
    }
    out += fmt::format("{}{}:{} ", red, finding.severity == Severity::error ? "error" : "warning", off);
    if (!finding.path.empty()) out += printable(finding.path) + ": ";
    out += printable(finding.message);
    const auto line = sources.line(finding.pos);
    if (!line.empty()) {
        const auto excerpt = excerpt_of(line, finding.pos.column);
        out += fmt::format("\n{:>5} | {}\n      | {}{}^{}", finding.pos.line, excerpt.text,
                           std::string(excerpt.caret, ' '), red, off);
        if (!finding.hint.empty()) out += " " + printable(finding.hint);
    } else if (!finding.hint.empty()) {
        out += "\n      " + printable(finding.hint);
    }
    return out;
}

}  // namespace compose
