#include "build/checks.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "build/paths.hpp"
#include "build/pattern.hpp"
#include "build/steps.hpp"

namespace compose::build {

namespace {

bool has_upper(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}
bool has_lower(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

class Linter {
public:
    Linter(const BuildFile& file, const std::vector<Instruction>& instructions, const DockerIgnore& ignore,
           Diagnostics& findings)
        : file_(file), instructions_(instructions), ignore_(ignore), findings_(findings) {}

    void run() {
        casing();
        descriptions();
        from_lines();
        globals();
        for (const auto& stage : file_.stages) check_stage(stage);
    }

private:
    void report(const char* rule, SourcePos pos, const std::string& message, const std::string& hint = {}) {
        if (file_.file.skip_all_checks || file_.file.skipped_checks.contains(rule)) return;
        if (file_.file.checks_are_errors)
            findings_.error(pos, rule, message, hint);
        else
            findings_.warning(pos, rule, message, hint);
    }

    void casing() {
        std::size_t uppers = 0, lowers = 0;
        for (const auto& one : instructions_) {
            if (!has_lower(one.written)) ++uppers;
            if (!has_upper(one.written)) ++lowers;
        }
        const bool want_upper = uppers >= lowers;
        for (const auto& one : instructions_) {
            const bool good = want_upper ? !has_lower(one.written) : !has_upper(one.written);
            if (!good)
                report("ConsistentInstructionCasing", one.pos,
                       fmt::format("{} is written differently than the other instructions", quote(one.written)),
                       want_upper ? "write it in capitals" : "write it in small letters");
            for (const auto& pos : one.empty_continuations)
                report("NoEmptyContinuation", pos, "a blank line inside an instruction", "remove it");
            if (one.name == "MAINTAINER")
                report("MaintainerDeprecated", one.pos, "MAINTAINER is deprecated",
                       "write LABEL org.opencontainers.image.authors=...");
        }
    }

    /// A comment right above a stage or an argument is its description, and begins with its name. Only where it is
    /// asked for: many comments are something else.
    void descriptions() {
        const auto& asked = file_.file.experimental_checks;
        constexpr const char* kRule = "InvalidDefinitionDescription";
        if (!asked.contains(kRule) && !asked.contains("all")) return;
        for (const auto& one : instructions_) {
            const auto words = raw_words(one.args, file_.file.escape);
            std::string name;
            if (one.name == "FROM" && words.size() == 3) name = words[2].text;
            if (one.name == "ARG" && !words.empty()) name = words[0].text.substr(0, words[0].text.find('='));
            if (name.empty() || one.comments.empty()) continue;
            const bool described = std::any_of(one.comments.begin(), one.comments.end(),
                                               [&](const auto& line) { return line.starts_with(name + " "); });
            if (!described)
                report(kRule, one.pos, fmt::format("the comment above {} does not describe it", quote(name)),
                       fmt::format("write # {} and what it is, or put a blank line between", name));
        }
    }

    void from_lines() {
        std::set<std::string> names;
        for (const auto& one : instructions_) {
            if (one.name != "FROM") continue;
            const auto words = raw_words(one.args, file_.file.escape);
            if (const auto* platform = find_flag(one, "platform")) {
                if (platform->value == "$TARGETPLATFORM" || platform->value == "${TARGETPLATFORM}")
                    report("RedundantTargetPlatform", platform->pos,
                           "--platform=$TARGETPLATFORM is what happens anyway", "leave it out");
                else if (platform->value.find('$') == std::string::npos)
                    report("FromPlatformFlagConstDisallowed", platform->pos,
                           fmt::format("the platform {} is fixed", quote(platform->value)),
                           "use $BUILDPLATFORM, or say --platform when you build");
            }
            if (words.size() != 3) continue;
            const auto& as = words[1].text;
            if (has_upper(as) != has_upper(one.written))
                report("FromAsCasing", one.place_of(words[1].offset),
                       fmt::format("{} and {} are written differently", quote(as), quote(one.written)));
            const auto& name = words[2].text;
            if (has_upper(name))
                report("StageNameCasing", one.place_of(words[2].offset),
                       fmt::format("the name of stage {} has capitals", quote(name)), lower(name));
            if (lower(name) == "context" || lower(name) == "scratch")
                report("ReservedStageName", one.place_of(words[2].offset),
                       fmt::format("{} is a reserved name", quote(name)));
            if (!names.insert(lower(name)).second)
                report("DuplicateStageName", one.place_of(words[2].offset),
                       fmt::format("there is a stage {} already", quote(name)));
        }
    }

    void globals() {
        std::set<std::string> declared;
        for (const auto& one : file_.global_args)
            for (const auto& word : raw_words(one.args, file_.file.escape)) {
                declared.insert(word.text.substr(0, word.text.find('=')));
            }
        for (const auto& stage : file_.stages) {
            if (stage.base.empty())
                report("InvalidDefaultArgInFrom", stage.base_pos, "without build arguments there is no base image",
                       "give the ARG a default");
            const auto words = raw_words(stage.from_text, file_.file.escape);
            for (const auto& word : words) {
                const Lookup look = [&](const std::string& name) -> std::optional<std::string> {
                    const bool known = declared.contains(name) || file_.globals.contains(name);
                    return known ? std::optional<std::string>("x") : std::nullopt;
                };
                for (const auto& name : names_in(word.text, look))
                    report("UndefinedArgInFrom", stage.base_pos,
                           fmt::format("{} is not declared before the first FROM", quote("$" + name)),
                           fmt::format("add ARG {} at the top", name));
            }
        }
    }

    std::vector<std::string> names_in(const std::string& text, const Lookup& look) const {
        try {
            return expand_word(text, file_.file.escape, look).undefined;
        } catch (const Error&) {
            return {};
        }
    }

    void check_stage(const Stage& stage) {
        // What the base image sets is not known here, so only stages on nothing can be sure about variables.
        std::set<std::string> known;
        std::map<std::string, int> once;
        bool workdir = false;
        for (const auto& one : stage.instructions) {
            check_variables(stage, one, known);
            if (one.name == "WORKDIR") {
                if (!one.args.starts_with('/') && !one.args.starts_with('$') && !one.args.starts_with('"') &&
                    !workdir && !stage.base_stage)
                    report("WorkdirRelativePath", one.pos,
                           fmt::format("the relative WORKDIR {} depends on the base image", quote(one.args)),
                           "write it from /");
                workdir = true;
            }
            if (one.name == "CMD" || one.name == "ENTRYPOINT" || one.name == "HEALTHCHECK") {
                if (++once[one.name] > 1)
                    report("MultipleInstructionsDisallowed", one.pos,
                           fmt::format("only the last {} of a stage counts", one.name));
            }
            if ((one.name == "CMD" || one.name == "ENTRYPOINT") && !one.json && !one.args.empty() && !shell_set_)
                report("JSONArgsRecommended", one.pos, fmt::format("{} in shell form gets no signals", one.name),
                       fmt::format("write {} [\"program\", \"argument\"]", one.name));
            if (one.name == "SHELL") shell_set_ = true;
            if (one.name == "EXPOSE") check_expose(one);
            if (one.name == "ENV" || one.name == "LABEL") check_pairs(one);
            if (one.name == "ENV" || one.name == "ARG") check_secrets(one);
            if ((one.name == "COPY" || one.name == "ADD") && find_flag(one, "from") == nullptr) check_ignored(one);
        }
    }

    void check_variables(const Stage& stage, const Instruction& one, std::set<std::string>& known) {
        const bool expands = one.name != "RUN" && one.name != "CMD" && one.name != "ENTRYPOINT" &&
                             one.name != "SHELL" && one.name != "ONBUILD" && one.name != "HEALTHCHECK";
        if (expands && stage.base == "scratch") {
            const Lookup look = [&](const std::string& name) -> std::optional<std::string> {
                return known.contains(name) || name == "PATH" ? std::optional<std::string>("x") : std::nullopt;
            };
            for (const auto& word : raw_words(one.args, file_.file.escape))
                for (const auto& name : names_in(word.text, look))
                    report("UndefinedVar", one.place_of(word.offset), fmt::format("{} is not set", quote("$" + name)));
        }
        if (one.name != "ENV" && one.name != "ARG") return;
        const auto words = raw_words(one.args, file_.file.escape);
        for (const auto& word : words) {
            known.insert(word.text.substr(0, word.text.find('=')));
            if (one.name == "ENV" && words[0].text.find('=') == std::string::npos) break;
        }
    }

    void check_expose(const Instruction& one) {
        for (const auto& word : raw_words(one.args, file_.file.escape)) {
            const auto slash = word.text.find('/');
            if (slash != std::string::npos && has_upper(word.text.substr(slash)))
                report("ExposeProtoCasing", one.place_of(word.offset),
                       fmt::format("the protocol of {} has capitals", quote(word.text)));
            if (word.text.find(':') != std::string::npos)
                report("ExposeInvalidFormat", one.place_of(word.offset),
                       fmt::format("EXPOSE takes no address: {}", quote(word.text)),
                       "ports are published when a container is made");
        }
    }

    void check_pairs(const Instruction& one) {
        const auto words = raw_words(one.args, file_.file.escape);
        if (words.size() > 1 && words[0].text.find('=') == std::string::npos)
            report("LegacyKeyValueFormat", one.pos, fmt::format("\"{} key value\" is an old form", one.name),
                   fmt::format("write {} key=value", one.name));
    }

    void check_secrets(const Instruction& one) {
        static constexpr std::string_view kWords[] = {"apikey",   "auth",  "credential", "credentials", "key",
                                                      "password", "pword", "passwd",     "secret",      "token"};
        for (const auto& word : raw_words(one.args, file_.file.escape)) {
            auto name = lower(word.text.substr(0, word.text.find('=')));
            if (name.find("public") != std::string::npos) continue;
            for (const auto& part : split(name, '_'))
                if (std::find(std::begin(kWords), std::end(kWords), part) != std::end(kWords)) {
                    report("SecretsUsedInArgOrEnv", one.place_of(word.offset),
                           fmt::format("{} {} looks like a secret, and would stay in the image", one.name,
                                       quote(word.text.substr(0, word.text.find('=')))),
                           "use RUN --mount=type=secret");
                    break;
                }
            if (one.name == "ENV" && word.text.find('=') == std::string::npos) break;
        }
    }

    void check_ignored(const Instruction& one) {
        const auto words = one.json ? std::vector<Word>() : raw_words(one.args, file_.file.escape);
        for (std::size_t i = 0; i + 1 < words.size(); ++i) {
            const auto& text = words[i].text;
            if (text.find('$') != std::string::npos || text.starts_with("<<") ||
                text.find("://") != std::string::npos || has_wildcard(text))
                continue;
            const auto path = clean_relative(text);
            if (!path.empty() && ignore_.hides(path) && !ignore_.shows_again())
                report("CopyIgnoredFile", one.place_of(words[i].offset),
                       fmt::format("{} is hidden by .dockerignore", quote(path)));
        }
    }

    const BuildFile& file_;
    const std::vector<Instruction>& instructions_;
    const DockerIgnore& ignore_;
    Diagnostics& findings_;
    bool shell_set_ = false;
};

}  // namespace

void lint(const BuildFile& file, const std::vector<Instruction>& instructions, const DockerIgnore& ignore,
          Diagnostics& findings) {
    Linter(file, instructions, ignore, findings).run();
}

bool is_declared(const BuildFile& file, const std::string& name) {
    const auto declares = [&](const Instruction& one) {
        if (one.name != "ARG") return false;
        const auto words = raw_words(one.args, file.file.escape);
        return std::any_of(words.begin(), words.end(),
                           [&](const Word& word) { return word.text.substr(0, word.text.find('=')) == name; });
    };
    if (std::any_of(file.global_args.begin(), file.global_args.end(), declares)) return true;
    return std::any_of(file.stages.begin(), file.stages.end(), [&](const Stage& stage) {
        return std::any_of(stage.instructions.begin(), stage.instructions.end(), declares);
    });
}

}  // namespace compose::build
