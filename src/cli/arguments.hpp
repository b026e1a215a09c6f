// The options and positional arguments of one command: declared, parsed, explained. The only user of CLI11, which reads
// the options; what stands between them (positionals, a command to pass on) is sorted out here, as Docker does it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace compose::cli {

class Arguments {
public:
    /// `name` as the user types it: "compose up". `summary` is one line.
    Arguments(std::string name, std::string summary);
    ~Arguments();
    Arguments(const Arguments&) = delete;
    Arguments& operator=(const Arguments&) = delete;

    // `names` as CLI11 has them: "-d,--detach". Long names are required. Targets must outlive parse().
    void flag(const char* names, bool& target, const char* help);
    void value(const char* names, std::string& target, const char* placeholder, const char* help);
    void value(const char* names, std::optional<std::string>& target, const char* placeholder, const char* help);
    void number(const char* names, std::optional<int>& target, const char* placeholder, const char* help);
    void list(const char* names, std::vector<std::string>& target, const char* placeholder, const char* help);
    /// Flags that others know, and that are an error here: "--cpu-count,--cpu-percent", "only Windows has it". Not in
    /// the help.
    void refuse(const char* names, const char* why);
    /// Options that are declared after this are in no help, completion or manual page.
    void hide_rest();
    /// An old long name of a declared option, not in the help. `target` may bring a value: "--no-ansi", "--ansi=never";
    /// such a name is a switch itself. With `warns`, its use is one of warnings(), and both names at once are an error.
    void old_name(const char* name, const char* target, bool warns = false);
    /// Switches of former times that change nothing: each use is one of warnings(). The help names them in one line.
    void without_effect(const char* names, const char* why);

    // Positionals, in order. `name` is for the usage line.
    void required(const char* name, std::string& target);
    void optional(const char* name, std::string& target);
    void rest(const char* name, std::vector<std::string>& target, bool at_least_one = false);
    /// Options end at the first positional: what follows is a command's own.
    void options_first();

    /// "compose up -d --wait" and what it does, for --help.
    void example(const char* line, const char* explanation);
    /// A paragraph under the summary.
    void text(const char* paragraph);
    /// A heading of lines that stand before the options: the list of commands.
    void section(std::string heading, std::string lines);

    /// Throws Error(usage). Options that are not its own are looked for in `globals` (may be null), which collects them
    /// for its own parse(). Returns false when --help was asked for.
    [[nodiscard]] bool parse(const std::vector<std::string>& words, Arguments* globals = nullptr);
    /// What to tell about the words of the last parse(), each once.
    [[nodiscard]] std::vector<std::string> warnings() const;
    /// Where the first positional stands, or words.size().
    [[nodiscard]] std::size_t first_positional(const std::vector<std::string>& words) const;
    [[nodiscard]] std::string help() const;
    [[nodiscard]] const std::string& name() const;

    // What was declared, for completion and manual pages.
    struct OptionInfo {
        std::vector<std::string> names;  // "-d", "--detach"
        std::string placeholder;         // empty: takes no value
        std::string help;
    };
    struct PositionalInfo {
        std::string name;
        bool many = false, required = false;
    };
    [[nodiscard]] std::vector<OptionInfo> options() const;
    [[nodiscard]] std::vector<PositionalInfo> positionals() const;
    [[nodiscard]] const std::vector<std::string>& without_effect() const;
    [[nodiscard]] const std::string& paragraph() const;
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& examples() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace compose::cli
