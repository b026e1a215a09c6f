#include "build/stages.hpp"

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "build/steps.hpp"

namespace compose::build {

namespace {

class Planner {
public:
    Planner(const StageOptions& options, Diagnostics& findings) : options_(options), findings_(findings) {}

    BuildFile run(Dockerfile file) {
        auto instructions = std::move(file.instructions);
        file.instructions.clear();
        out_.file = std::move(file);
        out_.globals = options_.platform_args;
        for (auto& one : instructions) place(std::move(one));
        if (out_.stages.empty() && !findings_.has_errors())
            findings_.error({1, 1, 1}, "", "the Dockerfile has no FROM", "begin with FROM image, or FROM scratch");
        for (auto& stage : out_.stages) find_needs(stage);
        return std::move(out_);
    }

private:
    void place(Instruction one) {
        check_instruction(one, out_.file.escape, findings_);
        if (one.name == "FROM") return begin_stage(one);
        if (!out_.stages.empty()) {
            out_.stages.back().instructions.push_back(std::move(one));
        } else if (one.name == "ARG") {
            declare_globals(one);
            out_.global_args.push_back(std::move(one));
        } else {
            findings_.error(one.pos, "", fmt::format("{} before the first FROM", one.name), "only ARG may stand there");
        }
    }

    void declare_globals(const Instruction& one) {
        for (const auto& word : raw_words(one.args, out_.file.escape)) {
            const auto equals = word.text.find('=');
            const auto name = word.text.substr(0, equals);
            const auto given = options_.build_args.find(name);
            if (given != options_.build_args.end())
                out_.globals[name] = given->second;
            else if (equals != std::string::npos)
                out_.globals[name] = expand(word.text.substr(equals + 1), one.place_of(word.offset), false);
        }
    }

    std::string expand(const std::string& text, SourcePos pos, bool warn) {
        try {
            auto done = expand_word(text, out_.file.escape, [&](const std::string& name) -> std::optional<std::string> {
                const auto found = out_.globals.find(name);
                if (found == out_.globals.end()) return std::nullopt;
                return found->second;
            });
            if (warn)
                for (const auto& name : done.undefined)
                    findings_.warning(pos, "", fmt::format("{} is not declared before the first FROM", name),
                                      fmt::format("add ARG {} at the top", name));
            return done.text;
        } catch (const Error& error) {
            findings_.error(pos, "", error.what(), error.hint());
            return {};
        }
    }

    void begin_stage(const Instruction& one) {
        const auto words = raw_words(one.args, out_.file.escape);
        Stage stage;
        stage.index = out_.stages.size();
        stage.pos = one.pos;
        stage.from_text = one.text();
        if (!words.empty()) {
            stage.base_pos = one.place_of(words[0].offset);
            stage.base = expand(words[0].text, stage.base_pos, true);
            if (stage.base.empty() && !findings_.has_errors())
                findings_.error(stage.base_pos, "", fmt::format("{} is empty", quote(words[0].text)),
                                "give the variable a value");
        }
        if (words.size() == 3) stage.name = lower(words[2].text);
        if (const auto* platform = find_flag(one, "platform"))
            stage.platform = expand(platform->value, platform->pos, true);
        // A stage may only build on an earlier one: its own name means an image.
        if (!is_context(stage.base)) stage.base_stage = out_.find(stage.base);
        out_.stages.push_back(std::move(stage));
    }

    [[nodiscard]] bool is_context(const std::string& name) const {
        return std::find(options_.contexts.begin(), options_.contexts.end(), name) != options_.contexts.end();
    }

    void find_needs(Stage& stage) {
        if (stage.base_stage) stage.needs.push_back(*stage.base_stage);
        for (const auto& one : stage.instructions) {
            if (const auto* from = find_flag(one, "from"); from != nullptr && one.name == "COPY")
                need(stage, from->value, from->pos);
            for (const auto& flag : one.flags) {
                if (flag.name != "mount" || one.name != "RUN") continue;
                Diagnostics ignored;
                const auto mount = parse_run_mount(flag.value, flag.pos, ignored);
                if (!mount.from.empty()) need(stage, mount.from, flag.pos);
            }
        }
        std::sort(stage.needs.begin(), stage.needs.end());
        stage.needs.erase(std::unique(stage.needs.begin(), stage.needs.end()), stage.needs.end());
    }

    void need(Stage& stage, const std::string& name, SourcePos pos) {
        if (is_context(name)) return;
        const auto found = out_.find(name);
        if (found && *found < stage.index) return stage.needs.push_back(*found);
        if (found && *found == stage.index)
            findings_.error(pos, "", "a stage can't copy from itself");
        else if (found)
            findings_.error(pos, "", fmt::format("stage {} comes later", quote(name)), "move it up");
        else if (name.find_first_not_of("0123456789") == std::string::npos)
            findings_.error(pos, "", fmt::format("there is no stage {}", name));
        else if (name.find('$') != std::string::npos)
            findings_.error(pos, "", "variables can't be used in from",
                            "name a stage that is based on the variable: FROM $X AS y");
    }

    const StageOptions& options_;
    Diagnostics& findings_;
    BuildFile out_;
};

void visit(const BuildFile& file, std::size_t stage, std::vector<bool>& seen, std::vector<std::size_t>& out) {
    // Needs always have lower numbers, so the depth is bounded by the number of stages; a plain loop would do too.
    if (seen[stage]) return;
    seen[stage] = true;
    for (const auto need : file.stages[stage].needs) visit(file, need, seen, out);
    out.push_back(stage);
}

}  // namespace

std::optional<std::size_t> BuildFile::find(const std::string& name) const {
    const auto wanted = lower(name);
    // The last one of a name wins, as it hides those before it.
    for (auto i = stages.size(); i-- > 0;)
        if (!stages[i].name.empty() && stages[i].name == wanted) return i;
    std::size_t number = 0;
    const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (code == std::errc{} && end == name.data() + name.size() && number < stages.size()) return number;
    return std::nullopt;
}

BuildFile plan_stages(Dockerfile file, const StageOptions& options, Diagnostics& findings) {
    return Planner(options, findings).run(std::move(file));
}

std::vector<std::size_t> needed_stages(const BuildFile& file, std::size_t target) {
    std::vector<bool> seen(file.stages.size(), false);
    std::vector<std::size_t> out;
    visit(file, target, seen, out);
    return out;
}

}  // namespace compose::build
