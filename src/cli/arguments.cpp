#include "cli/arguments.hpp"

#include <charconv>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments_impl.hpp"

namespace compose::cli {

namespace {

int parse_number(const std::string& text, const std::string& names) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        throw make_error(ErrorKind::usage, "invalid argument {} for {}: not a whole number", quote(text), names);
    return value;
}

}  // namespace

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
