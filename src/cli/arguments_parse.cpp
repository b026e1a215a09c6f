// From words to values: Docker's rules, in a form that CLI11 cannot take for anything else.
#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments_impl.hpp"

namespace compose::cli {

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

}  // namespace compose::cli
