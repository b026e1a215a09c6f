// A Dockerfile as its lines say it: instructions with their flags, arguments, heredocs and places. Knows the syntax and
// not what an instruction means. Pure; whatever the text holds, the result is instructions or findings.
#pragma once

#include <compose/diagnostics.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace compose::build {

struct Heredoc {
    std::string name;
    std::string body;         // with the line end of its last line
    bool expand = true;       // the delimiter was not quoted
    bool strip_tabs = false;  // <<-
    SourcePos pos;
};

struct Flag {
    std::string name;  // without dashes
    std::string value;
    bool has_value = false;
    SourcePos pos;
};

struct Instruction {
    std::string name;     // upper case
    std::string written;  // as it stands
    SourcePos pos;
    std::vector<Flag> flags;
    std::string args;  // one line: continuations joined, flags taken off, blanks around gone
    std::optional<std::vector<std::string>> json;  // the arguments, when they are a JSON list of strings
    std::vector<Heredoc> heredocs;
    /// Where the pieces of `args` stand: (offset in args, place), in order.
    std::vector<std::pair<std::size_t, SourcePos>> places;
    std::vector<SourcePos> empty_continuations;  // blank lines inside

    [[nodiscard]] SourcePos place_of(std::size_t offset) const;
    /// "RUN make", on one line, without its flags.
    [[nodiscard]] std::string text() const { return args.empty() ? name : name + " " + args; }
};

struct Dockerfile {
    std::string syntax;  // of the directive
    char escape = '\\';
    std::set<std::string> skipped_checks;
    bool skip_all_checks = false;
    bool checks_are_errors = false;
    std::vector<Instruction> instructions;
};

/// The text is source `file` of `findings.sources`; with `text` given, what stands there is only for showing.
[[nodiscard]] Dockerfile parse_dockerfile(std::uint32_t file, Diagnostics& findings,
                                          std::optional<std::string_view> text = {});
/// One instruction in one line, as ONBUILD has it; `at` is where the line stands.
[[nodiscard]] Instruction parse_instruction(std::string_view line, char escape, SourcePos at, Diagnostics& findings);

/// The words of the text, split at blanks outside quotes, quotes kept.
struct Word {
    std::string text;
    std::size_t offset = 0;
};
[[nodiscard]] std::vector<Word> raw_words(std::string_view text, char escape);

}  // namespace compose::build
