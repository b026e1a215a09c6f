#include "loader/interpolate.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/strings.hpp"
#include "loader/expand.hpp"
#include "loader/path_pattern.hpp"

namespace compose {

namespace {

/// The place of the byte `offset` of a scalar's text, where the text stands in the file as it is; else the scalar's.
SourcePos inner_place(const Node& node, std::size_t offset, const Diagnostics& findings) {
    auto pos = node.pos;
    const auto line = findings.sources.line(pos);
    if (pos.column == 0 || pos.column > line.size()) return pos;
    const auto mark = line[pos.column - 1];
    const std::size_t skip = node.quoted && (mark == '"' || mark == '\'') ? 1 : 0;
    if (line.substr(pos.column - 1 + skip).starts_with(node.text))
        pos.column += static_cast<std::uint32_t>(offset + skip);
    return pos;
}

class Interpolator {
public:
    Interpolator(const std::map<std::string, std::string>& environment, Interpolation& load, Diagnostics& findings)
        : environment_(environment), load_(load), findings_(findings) {
        lookup_ = [this](const std::string& name) -> const std::string* {
            const auto found = environment_.find(name);
            const auto* value = found == environment_.end() ? nullptr : &found->second;
            if (load_.trace != nullptr)
                used_.push_back({name, value == nullptr ? std::nullopt : std::optional(*value)});
            return value;
        };
        hooks_.unset = [this](std::string_view name, std::size_t offset) { warn(name, offset); };
    }

    void walk(Node& node, const PathFrame& path) {
        if (node.is_string()) {
            if (node.text.find('$') != std::string::npos) value(node, path);
            return;
        }
        for (auto& entry : node.entries) walk(entry.value, path.child(entry.key));
        for (std::size_t i = 0; i < node.items.size(); ++i) walk(node.items[i], path.item(i));
        // What could not be expanded was reported; as an empty item it would be found wrong a second time.
        std::erase_if(node.items, [&](const Node& item) { return failed_.contains(item.pos); });
    }

    std::optional<std::string> text(const Node& node, const std::string& path) {
        current_ = &node;
        try {
            return expand(node.text, lookup_, hooks_);
        } catch (const ExpandFailure& failure) {
            report(failure, node, path);
            return std::nullopt;
        }
    }

private:
    void value(Node& node, const PathFrame& path) {
        current_ = &node;
        used_.clear();
        if (load_.budget.text_spent()) {
            node.text.clear();
            return;
        }
        try {
            auto text = expand(node.text, lookup_, hooks_);
            if (load_.trace != nullptr && !used_.empty())
                load_.trace->expansions[node.pos] = {std::move(node.text), std::move(used_)};
            if (text.size() > node.text.size() && !afford(text.size() - node.text.size(), node, path)) text = {};
            node.text = std::move(text);
        } catch (const ExpandFailure& failure) {
            report(failure, node, to_string(path));
            node.kind = Node::Kind::null;
            failed_.insert(node.pos);
        }
    }

    bool afford(std::size_t bytes, const Node& node, const PathFrame& path) {
        const auto outcome = load_.budget.take_text(bytes);
        if (outcome == Budget::Outcome::spent)
            findings_.error(node.pos, to_string(path),
                            fmt::format("the variables' values add more than {} MiB", Budget::kMaxText >> 20U),
                            "keep big texts in files");
        return outcome == Budget::Outcome::fine;
    }

    void report(const ExpandFailure& failure, const Node& node, const std::string& path) {
        const auto pos = inner_place(node, failure.offset, findings_);
        if (failure.kind == ExpandFailure::Kind::malformed) {
            const auto shown = node.text.size() > 60 ? node.text.substr(0, 57) + "..." : node.text;
            findings_.error(pos, path,
                            fmt::format("invalid interpolation format {}: {}", quote(shown), failure.message),
                            "a $ that is meant as such is written $$");
        } else {
            const bool required = failure.kind == ExpandFailure::Kind::required;
            findings_.error(pos, path, failure.message,
                            required ? "set it in the shell, in .env or with --env-file" : "");
        }
    }

    void warn(std::string_view name, std::size_t offset) {
        if (!load_.warned.insert(std::string(name)).second) return;
        findings_.warning(inner_place(*current_, offset, findings_), "",
                          fmt::format("The \"{}\" variable is not set. Defaulting to a blank string.", name));
    }

    const std::map<std::string, std::string>& environment_;
    Interpolation& load_;
    Diagnostics& findings_;
    VariableLookup lookup_;
    ExpandHooks hooks_;
    const Node* current_ = nullptr;
    std::set<SourcePos> failed_;
    std::vector<Trace::Variable> used_;
};

}  // namespace

void interpolate(Node& root, const std::map<std::string, std::string>& environment, Interpolation& load,
                 Diagnostics& findings) {
    Interpolator(environment, load, findings).walk(root, {});
}

std::optional<std::string> interpolate_text(const Node& text, const std::string& path,
                                            const std::map<std::string, std::string>& environment, Interpolation& load,
                                            Diagnostics& findings) {
    return Interpolator(environment, load, findings).text(text, path);
}

}  // namespace compose
