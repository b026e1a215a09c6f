// What a command's arguments are made of, and how its words are read.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"

namespace compose::cli {

struct OptionText {
    std::string names;  // "-d, --detach"
    std::string placeholder;
    std::string help;
    bool hidden = false;
};

struct OldName {
    std::string target;  // "--project-directory", "--ansi=never"
    bool warns = false;
};

struct Positional {
    std::string name;
    std::string* one = nullptr;
    std::vector<std::string>* many = nullptr;
    bool required = false;
};

struct Found {
    CLI::Option* option = nullptr;
    bool takes_value() const { return option->get_items_expected_max() > 0; }
    /// In the form that CLI11 cannot take for anything else, whatever the value looks like ("-1", "--", nothing).
    void give(std::string_view value, std::vector<std::string>& out) const {
        if (!value.empty()) {
            out.push_back(fmt::format("{}={}", word(), value));
        } else {
            out.insert(out.end(), {word(), ""});
        }
    }
    std::string word() const { return "--" + option->get_lnames().front(); }
};

struct Arguments::Impl {
    std::string name;
    std::string summary;
    CLI::App app;
    std::vector<OptionText> options;
    std::vector<Positional> positionals;
    std::vector<std::pair<std::string, std::string>> examples;
    std::vector<std::pair<std::string, std::string>> sections;
    std::string paragraph;
    std::map<std::string, const char*, std::less<>> refused;
    std::map<std::string, OldName, std::less<>> old_names;
    std::map<std::string, const char*, std::less<>> effectless;
    std::vector<std::string> effectless_names;    // as declared
    std::set<std::string, std::less<>> seen;      // long names, as they were written
    std::map<std::string, std::string> warnings;  // by the name that they are about
    bool options_first = false;
    bool hiding = false;
    std::vector<std::string> pending;  // words that a command found to be ours

    Found find(const std::string& dashed) { return {app.get_option_no_throw(dashed)}; }

    [[noreturn]] void usage_error(const std::string& message, const std::string& advice = {}) const {
        auto hint = fmt::format("run '{} --help' for its usage", name);
        if (!advice.empty()) hint = advice + " " + hint;
        throw make_error(ErrorKind::usage, "{}", message).with_hint(hint);
    }

    /// `word` is a flag that is not declared.
    [[noreturn]] void unknown_flag(const std::string& word) const {
        const bool is_long = word.starts_with("--");
        const auto shown = is_long ? word.substr(0, word.find('=')) : word.substr(0, 2);
        if (const auto known = refused.find(shown); known != refused.end())
            usage_error(fmt::format("{} is not supported: {}", shown, known->second));
        const auto near = is_long ? nearest_option(shown) : "";
        usage_error(
            is_long ? "unknown flag: " + shown : fmt::format("unknown shorthand flag: '{}' in {}", word[1], word),
            near.empty() ? "" : fmt::format("did you mean {}?", near));
    }

    std::string nearest_option(const std::string& word) const {
        std::vector<std::string> names;
        for (const auto* option : app.get_options())
            for (const auto& long_name : option->get_lnames()) names.push_back("--" + long_name);
        const std::vector<std::string_view> views(names.begin(), names.end());
        return std::string(nearest(word, views));
    }

    void add_text(const char* names, const char* placeholder, const char* help) {
        std::string shown(names);
        for (auto comma = shown.find(','); comma != std::string::npos; comma = shown.find(',', comma + 1))
            shown.insert(comma + 1, " ");
        options.push_back({shown, placeholder, help, hiding});
    }

    /// "--x=false" of a switch that is known by its name alone.
    bool switch_value(const std::string& word) const {
        const auto equals = word.find('=');
        if (equals == std::string::npos) return true;
        const auto text = lower(word.substr(equals + 1));
        if (text == "true" || text == "1" || text == "t") return true;
        if (text == "false" || text == "0" || text == "f") return false;
        usage_error(fmt::format("invalid argument {} for {}: true or false", quote(word.substr(equals + 1)),
                                word.substr(0, equals)));
    }

    bool take_effectless(const std::string& spelled, const std::string& word) {
        const auto found = effectless.find(spelled);
        if (found == effectless.end()) return false;
        (void)switch_value(word);
        warnings[spelled] = fmt::format("{} has no effect: {}", spelled, found->second);
        return true;
    }

    // One option word of `words` at `at`. Returns how many words it took; 0: it is not known here.
    std::size_t take_old(const OldName& old, const std::vector<std::string>& words, std::size_t at,
                         std::vector<std::string>& out);
    std::size_t take_long(const std::vector<std::string>& words, std::size_t at, std::vector<std::string>& out);
    std::size_t take_short(const std::vector<std::string>& words, std::size_t at, std::vector<std::string>& out);
    std::size_t take(const std::vector<std::string>& words, std::size_t at, std::vector<std::string>& out) {
        return words[at].starts_with("--") ? take_long(words, at, out) : take_short(words, at, out);
    }
    void assign(const std::vector<std::string>& given);
    void check_old_names() const;
    void run(std::vector<std::string> words);
};

}  // namespace compose::cli
