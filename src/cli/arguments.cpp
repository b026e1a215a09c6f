#include "cli/arguments.hpp"

#include <charconv>
#include <functional>
#include <map>
#include <set>

#include <CLI/CLI.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"

namespace compose::cli {

namespace {

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

int parse_number(const std::string& text, const std::string& names) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        throw make_error(ErrorKind::usage, "invalid argument {} for {}: not a whole number", quote(text), names);
    return value;
}

}  // namespace

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

std::size_t Arguments::Impl::take_long(const std::vector<std::string>& words, std::size_t at,
                                       std::vector<std::string>& out) {
    const auto& word = words[at];
    const auto equals = word.find('=');
    const auto spelled = word.substr(0, equals);
    if (const auto old = old_names.find(spelled); old != old_names.end()) return take_old(old->second, words, at, out);
    if (take_effectless(spelled, word)) return 1;
    const auto found = find(spelled);
    if (found.option == nullptr) return 0;
    seen.insert(spelled);
    if (equals != std::string::npos) {
        found.give(word.substr(equals + 1), out);
        return 1;
    }
    if (!found.takes_value()) {
        out.push_back(found.word());
        return 1;
    }
    if (at + 1 >= words.size()) usage_error(fmt::format("flag needs an argument: {}", word));
    found.give(words[at + 1], out);
    return 2;
}

std::size_t Arguments::Impl::take_old(const OldName& old, const std::vector<std::string>& words, std::size_t at,
                                      std::vector<std::string>& out) {
    const auto& word = words[at];
    const auto equals = word.find('=');
    const auto spelled = word.substr(0, equals);
    seen.insert(spelled);
    if (old.warns) warnings[spelled] = fmt::format("{} is deprecated: use {}", spelled, old.target);
    if (old.target.find('=') == std::string::npos) {
        auto renamed = words;
        renamed[at] = old.target + (equals == std::string::npos ? "" : word.substr(equals));
        const bool both = seen.contains(old.target);
        const auto taken = take_long(renamed, at, out);
        if (!both) seen.erase(old.target);
        return taken;
    }
    if (switch_value(word)) out.push_back(old.target);
    return 1;
}

// "-d", "-dT", "-eA=1", "-e A=1", "-n5"
std::size_t Arguments::Impl::take_short(const std::vector<std::string>& words, std::size_t at,
                                        std::vector<std::string>& out) {
    const auto& word = words[at];
    for (std::size_t i = 1; i < word.size(); ++i) {
        if (take_effectless(std::string("-") + word[i], "")) continue;
        const auto found = find(std::string("-") + word[i]);
        if (found.option == nullptr) {
            if (i == 1) return 0;
            usage_error(fmt::format("unknown shorthand flag: '{}' in {}", word[i], word));
        }
        if (!found.takes_value() && i + 1 < word.size() && word[i + 1] == '=') {  // "-i=false"
            found.give(word.substr(i + 2), out);
            return 1;
        }
        if (!found.takes_value()) {
            out.push_back(found.word());
            continue;
        }
        if (i + 1 < word.size()) {
            found.give(word.substr(word[i + 1] == '=' ? i + 2 : i + 1), out);
            return 1;
        }
        if (at + 1 >= words.size()) usage_error(fmt::format("flag needs an argument: '{}' in {}", word[i], word));
        found.give(words[at + 1], out);
        return 2;
    }
    return 1;
}

void Arguments::Impl::assign(const std::vector<std::string>& given) {
    std::size_t at = 0;
    for (const auto& positional : positionals) {
        if (at >= given.size() && positional.required)
            usage_error(fmt::format("'{}' requires {}", name, positional.name));
        if (positional.many != nullptr) {
            positional.many->insert(positional.many->end(), given.begin() + static_cast<std::ptrdiff_t>(at),
                                    given.end());
            at = given.size();
        } else if (at < given.size()) {
            *positional.one = given[at++];
        }
    }
    if (at < given.size()) usage_error(fmt::format("unexpected argument: {}", quote(given[at])));
}

void Arguments::Impl::check_old_names() const {
    for (const auto& [spelled, old] : old_names) {
        const auto target = old.target.substr(0, old.target.find('='));
        if (old.warns && seen.contains(spelled) && seen.contains(target))
            usage_error(fmt::format("{} and {} exclude each other", spelled, target),
                        fmt::format("use {} alone.", target));
    }
}

void Arguments::Impl::run(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
    try {
        app.parse(std::move(words));
    } catch (const CLI::ConversionError& error) {
        // CLI11 says "Could not convert: --flag = value".
        constexpr std::string_view kBefore = "Could not convert: ", kBetween = " = ";
        const std::string_view text = error.what();
        const auto between = text.find(kBetween);
        if (!text.starts_with(kBefore) || between == std::string_view::npos) usage_error(error.what());
        usage_error(fmt::format("invalid argument {} for {}", quote(text.substr(between + kBetween.size())),
                                quote(text.substr(kBefore.size(), between - kBefore.size()))));
    } catch (const CLI::ParseError& error) {
        usage_error(error.what());
    }
}

Arguments::Arguments(std::string name, std::string summary) : impl_(std::make_unique<Impl>()) {
    impl_->name = std::move(name);
    impl_->summary = std::move(summary);
    impl_->app.set_help_flag();
}

Arguments::~Arguments() = default;

void Arguments::flag(const char* names, bool& target, const char* help) {
    impl_->app.add_flag(names, target);
    impl_->add_text(names, "", help);
}

void Arguments::value(const char* names, std::string& target, const char* placeholder, const char* help) {
    impl_->app.add_option_function<std::string>(names, [&target](const std::string& text) { target = text; })
        ->take_last();
    impl_->add_text(names, placeholder, help);
}

void Arguments::value(const char* names, std::optional<std::string>& target, const char* placeholder,
                      const char* help) {
    impl_->app.add_option_function<std::string>(names, [&target](const std::string& text) { target = text; })
        ->take_last();
    impl_->add_text(names, placeholder, help);
}

void Arguments::number(const char* names, std::optional<int>& target, const char* placeholder, const char* help) {
    impl_->add_text(names, placeholder, help);
    const auto read = [&target, shown = impl_->options.back().names](const std::string& text) {
        target = parse_number(text, shown);
    };
    impl_->app.add_option_function<std::string>(names, read)->take_last();
}

void Arguments::list(const char* names, std::vector<std::string>& target, const char* placeholder, const char* help) {
    const auto append = [&target](const std::vector<std::string>& texts) {
        target.insert(target.end(), texts.begin(), texts.end());
    };
    impl_->app.add_option_function<std::vector<std::string>>(names, append)->allow_extra_args(false);
    impl_->add_text(names, placeholder, help);
}

void Arguments::refuse(const char* names, const char* why) {
    for (const auto& name : split(names, ',')) impl_->refused.emplace(name, why);
}

void Arguments::hide_rest() {
    impl_->hiding = true;
}

void Arguments::old_name(const char* name, const char* target, bool warns) {
    impl_->old_names.emplace(name, OldName{target, warns});
}

void Arguments::without_effect(const char* names, const char* why) {
    for (const auto& spelled : split(names, ',')) {
        impl_->effectless.emplace(spelled, why);
        impl_->effectless_names.emplace_back(spelled);
    }
}

std::vector<std::string> Arguments::warnings() const {
    std::vector<std::string> out;
    for (const auto& [spelled, text] : impl_->warnings) out.push_back(text);
    return out;
}

void Arguments::required(const char* name, std::string& target) {
    impl_->positionals.push_back({name, &target, nullptr, true});
}

void Arguments::optional(const char* name, std::string& target) {
    impl_->positionals.push_back({name, &target, nullptr, false});
}

void Arguments::rest(const char* name, std::vector<std::string>& target, bool at_least_one) {
    impl_->positionals.push_back({name, nullptr, &target, at_least_one});
}

void Arguments::options_first() {
    impl_->options_first = true;
}
void Arguments::example(const char* line, const char* explanation) {
    impl_->examples.emplace_back(line, explanation);
}
void Arguments::text(const char* paragraph) {
    impl_->paragraph = paragraph;
}
void Arguments::section(std::string heading, std::string lines) {
    impl_->sections.emplace_back(std::move(heading), std::move(lines));
}
const std::string& Arguments::name() const {
    return impl_->name;
}

std::vector<Arguments::OptionInfo> Arguments::options() const {
    std::vector<OptionInfo> out;
    for (const auto& option : impl_->options) {
        if (option.hidden) continue;
        OptionInfo info{.names = {}, .placeholder = option.placeholder, .help = option.help};
        for (const auto& name : split(option.names, ',')) info.names.emplace_back(trim(name));
        out.push_back(std::move(info));
    }
    return out;
}

std::vector<Arguments::PositionalInfo> Arguments::positionals() const {
    std::vector<PositionalInfo> out;
    for (const auto& positional : impl_->positionals)
        out.push_back({positional.name, positional.many != nullptr, positional.required});
    return out;
}

const std::vector<std::string>& Arguments::without_effect() const {
    return impl_->effectless_names;
}

const std::string& Arguments::paragraph() const {
    return impl_->paragraph;
}

const std::vector<std::pair<std::string, std::string>>& Arguments::examples() const {
    return impl_->examples;
}

bool Arguments::parse(const std::vector<std::string>& words, Arguments* globals) {
    std::vector<std::string> own;
    std::vector<std::string> positionals;
    const auto take_rest = [&](std::size_t from) {
        positionals.insert(positionals.end(), words.begin() + static_cast<std::ptrdiff_t>(from), words.end());
    };
    for (std::size_t at = 0; at < words.size();) {
        const auto& word = words[at];
        if (word == "--") {
            take_rest(at + 1);
            break;
        }
        if (impl_->options_first && !positionals.empty()) {
            take_rest(at);
            break;
        }
        if (word.size() < 2 || word[0] != '-') {
            positionals.push_back(word);
            ++at;
            continue;
        }
        if (word == "--help" || (word == "-h" && impl_->find("-h").option == nullptr)) return false;
        auto taken = impl_->take(words, at, own);
        if (taken == 0 && globals != nullptr) taken = globals->impl_->take(words, at, globals->impl_->pending);
        if (taken == 0) impl_->unknown_flag(word);
        at += taken;
    }
    own.insert(own.end(), impl_->pending.begin(), impl_->pending.end());
    impl_->check_old_names();
    impl_->run(std::move(own));
    impl_->assign(positionals);
    return true;
}

std::size_t Arguments::first_positional(const std::vector<std::string>& words) const {
    std::vector<std::string> ignored;
    for (std::size_t at = 0; at < words.size();) {
        if (words[at].size() < 2 || words[at][0] != '-') return at;
        // An unknown flag is taken for one without a value: parse() names it.
        at += std::max<std::size_t>(1, words[at] == "--" ? 1 : impl_->take(words, at, ignored));
    }
    return words.size();
}

std::string Arguments::help() const {
    std::string usage = "Usage:  " + impl_->name;
    if (!impl_->options.empty()) usage += " [OPTIONS]";
    if (!impl_->sections.empty()) usage += " COMMAND";
    for (const auto& positional : impl_->positionals) {
        const auto shown = positional.name + (positional.many != nullptr ? "..." : "");
        usage += positional.required ? " " + shown : " [" + shown + "]";
    }
    std::string out = usage + "\n\n" + impl_->summary + "\n";
    if (!impl_->paragraph.empty()) out += "\n" + impl_->paragraph + "\n";
    for (const auto& [heading, lines] : impl_->sections) out += fmt::format("\n{}:\n{}", heading, lines);
    if (!impl_->options.empty()) {
        std::vector<std::string> left;
        std::size_t width = 0;
        for (const auto& option : impl_->options) {
            if (option.hidden) break;  // and all after it
            auto text = (option.names.starts_with("--") ? "    " : "") + option.names;
            if (!option.placeholder.empty()) text += " " + option.placeholder;
            width = std::max(width, text.size());
            left.push_back(std::move(text));
        }
        out += "\nOptions:\n";
        for (std::size_t i = 0; i < left.size(); ++i)
            out += fmt::format("  {:<{}}   {}\n", left[i], width, impl_->options[i].help);
    }
    if (!impl_->effectless_names.empty())
        out += fmt::format("\nFor old scripts, without effect: {}\n", join(impl_->effectless_names, ", "));
    if (!impl_->examples.empty()) out += "\nExamples:\n";
    std::size_t width = 0;
    for (const auto& [line, explanation] : impl_->examples) width = std::max(width, line.size());
    for (const auto& [line, explanation] : impl_->examples)
        out += fmt::format("  {:<{}}   {}\n", line, width, explanation);
    return out;
}

}  // namespace compose::cli
