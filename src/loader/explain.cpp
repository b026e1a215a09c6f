#include <algorithm>
#include <charconv>
#include <compose/explain.hpp>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "loader/trace.hpp"
#include "loader/units_bind.hpp"
#include "model/canonical.hpp"

namespace compose {

namespace {

/// A step of a path: a key, or the number of a list item.
struct Step {
    std::string key;
    std::size_t index = 0;
    bool is_item = false;
};
using Way = std::vector<Step>;

const Node* step_into(const Node& node, const Step& step) {
    if (!step.is_item) return node.find(step.key);
    return step.index < node.items.size() ? &node.items[step.index] : nullptr;
}

const Node* follow(const Node& root, const Way& way, std::size_t from = 0) {
    const Node* node = &root;
    for (std::size_t i = from; node != nullptr && i < way.size(); ++i) node = step_into(*node, way[i]);
    return node;
}

std::string to_text(const Way& way) {
    std::string out;
    for (const auto& step : way) {
        if (step.is_item)
            out += fmt::format("[{}]", step.index);
        else
            out += (out.empty() ? "" : ".") + step.key;
    }
    return out;
}

std::string shown_value(const Node& node) {
    if (node.is_null()) return "null";
    if (node.is_scalar()) return scalar_text(node);
    return render_compact_json(node);
}

/// Finds the value that a text names, key by key. Keys may hold dots themselves: the longest one that fits wins.
class PathReader {
public:
    PathReader(const Node& root, std::string_view text) : root_(root), whole_(text) {}

    Way read() {
        if (auto way = try_read(root_, whole_)) return std::move(*way);
        const auto* services = root_.find("services");
        if (services != nullptr && root_.find(whole_.substr(0, whole_.find_first_of(".["))) == nullptr) {
            prefix_ = "services.";
            if (auto way = try_read(*services, whole_)) {
                way->insert(way->begin(), Step{"services", 0, false});
                return std::move(*way);
            }
        }
        complain();
    }

private:
    std::optional<Way> try_read(const Node& start, std::string_view rest) {
        Way way;
        const Node* node = &start;
        while (!rest.empty()) {
            const auto left = rest;
            auto step = rest.starts_with('[') ? take_item(rest) : take_key(*node, rest);
            const auto* next = step ? step_into(*node, *step) : nullptr;
            if (next == nullptr) {
                if (way.size() >= deepest_.size()) remember(*node, way, left);
                return std::nullopt;
            }
            way.push_back(std::move(*step));
            node = next;
        }
        return way;
    }

    static std::optional<Step> take_item(std::string_view& rest) {
        const auto close = rest.find(']');
        if (close == std::string_view::npos) return std::nullopt;
        auto inner = rest.substr(1, close - 1);
        Step step;
        if (inner.size() >= 2 && (inner.front() == '"' || inner.front() == '\'') && inner.back() == inner.front()) {
            step.key = inner.substr(1, inner.size() - 2);
        } else {
            const auto [end, error] = std::from_chars(inner.data(), inner.data() + inner.size(), step.index);
            if (inner.empty() || error != std::errc{} || end != inner.data() + inner.size()) return std::nullopt;
            step.is_item = true;
        }
        rest.remove_prefix(close + 1);
        if (rest.starts_with('.')) rest.remove_prefix(1);
        return step;
    }

    static std::optional<Step> take_key(const Node& node, std::string_view& rest) {
        const Node::Entry* best = nullptr;
        for (const auto& entry : node.entries) {
            if (entry.key.empty() || !rest.starts_with(entry.key)) continue;
            const auto after = rest.substr(entry.key.size());
            if (!after.empty() && after[0] != '.' && after[0] != '[') continue;
            if (best == nullptr || entry.key.size() > best->key.size()) best = &entry;
        }
        if (best == nullptr) return std::nullopt;
        rest.remove_prefix(best->key.size());
        if (rest.starts_with('.')) rest.remove_prefix(1);
        return Step{best->key, 0, false};
    }

    void remember(const Node& node, const Way& way, std::string_view rest) {
        stopped_ = &node;
        deepest_ = way;
        rest_ = rest;
    }

    [[noreturn]] void complain() const {
        const auto at = deepest_.empty() ? std::string() : prefix_ + to_text(deepest_);
        const auto word = rest_.substr(0, rest_.find_first_of(".["));
        std::vector<std::string_view> known;
        for (const auto& entry : stopped_->entries) known.push_back(entry.key);
        std::sort(known.begin(), known.end());
        std::string hint;
        if (const auto near = nearest(word, known); !near.empty()) {
            hint = fmt::format("did you mean {}{}{}?", at, at.empty() ? "" : ".", near);
        } else if (stopped_->is_sequence()) {
            hint = fmt::format("it has {} items: write {}[0]", stopped_->items.size(), at);
        } else if (!known.empty()) {
            constexpr std::size_t kShown = 12;
            hint = "there are";
            for (std::size_t i = 0; i < known.size() && i < kShown; ++i)
                hint += (i == 0 ? " " : ", ") + std::string(known[i]);
            if (known.size() > kShown) hint += ", ...";
        }
        throw make_error(ErrorKind::not_found, "{} has no {}", at.empty() ? "the project" : at, shown(rest_))
            .with_hint(hint);
    }

    const Node& root_;
    std::string_view whole_;
    const Node* stopped_ = &root_;
    Way deepest_;
    std::string prefix_;  // of what is shown
    std::string_view rest_;
};

class Explainer {
public:
    Explainer(const LoadedProject& loaded, const SourceMap& sources)
        : root_(loaded.tree->root), trace_(*loaded.trace), sources_(sources) {}

    Explanation explain(const Way& way) const {
        const Node& node = *follow(root_, way);
        Explanation out;
        out.path = to_text(way);
        out.scalar = node.is_scalar();
        if (out.scalar) {
            out.value = shown_value(node);
            out.steps = steps_of(way, node);
            return out;
        }
        out.value = render_yaml(node);
        auto below = way;
        for (const auto& entry : node.entries) {
            below.push_back({entry.key, 0, false});
            out.children.push_back(explain(below));
            below.pop_back();
        }
        for (std::size_t i = 0; i < node.items.size(); ++i) {
            below.push_back({{}, i, true});
            out.children.push_back(explain(below));
            below.pop_back();
        }
        return out;
    }

private:
    /// Every value that stood at `way` in a file, oldest first: what replaced a whole list or mapping replaced what was
    /// inside it, too.
    static std::vector<const Node*> versions(const Node& root, const Way& way) {
        std::vector<const Node*> out;
        const Node* node = &root;
        for (std::size_t i = 0; node != nullptr; ++i) {
            if (node->past)
                for (auto old = node->past->rbegin(); old != node->past->rend(); ++old)
                    if (const auto* value = follow(**old, way, i); value != nullptr && value->is_scalar())
                        out.push_back(value);
            if (i == way.size()) break;
            node = step_into(*node, way[i]);
        }
        if (node != nullptr) out.push_back(node);
        return out;
    }

    std::vector<ExplainStep> steps_of(const Way& way, const Node& final) const {
        std::vector<ExplainStep> out;
        if (way.size() == 1 && way[0].key == "name" && !trace_.name_from.empty()) {
            auto& step = out.emplace_back();
            step.kind = "name";
            step.value = shown_value(final);
            step.note = trace_.name_from;
            return out;
        }
        for (const auto* version : versions(trace_.merged, way))
            if (version->is_scalar()) out.push_back(file_step(way, *version, out.empty()));
        add_lost_settings(way, out);
        const auto* merged = follow(trace_.merged, way);
        const auto* defaulted = follow(trace_.defaulted, way);
        const auto* resolved = follow(trace_.resolved, way);
        if (defaulted != nullptr) add_change(way, merged, *defaulted, merged == nullptr ? "default" : "path", out);
        if (resolved != nullptr) add_change(way, defaulted, *resolved, "environment", out);
        add_change(way, resolved, final, "default", out);
        return out;
    }

    ExplainStep file_step(const Way& way, const Node& node, bool first) const {
        ExplainStep step;
        step.pos = node.pos;
        step.value = shown_value(node);
        step.kind = first ? "file" : "override";
        if (const auto found = trace_.expansions.find(node.pos); found != trace_.expansions.end()) {
            step.text = found->second.text;
            for (const auto& used : found->second.variables) {
                const auto same = [&](const auto& known) { return known.name == used.name; };
                if (std::any_of(step.variables.begin(), step.variables.end(), same)) continue;
                step.variables.push_back({used.name, used.value, origin_of(used.name, used.value)});
            }
        }
        if (const auto at = trace_.included.find(node.pos.file); at != trace_.included.end()) {
            step.kind = "include";
            step.note = "included at " + place(at->second);
        }
        if (way.size() > 1 && way[0].key == "services") {
            const auto found = trace_.inherited.find({way[1].key, node.pos});
            if (found != trace_.inherited.end()) {
                step.kind = "extends";
                step.note =
                    fmt::format("{} extends {} at {}", way[1].key, found->second.base, place(found->second.pos));
            }
        }
        return step;
    }

    /// Values of env_file and label_file that another one hides.
    void add_lost_settings(const Way& way, std::vector<ExplainStep>& out) const {
        const auto* resolved = follow(trace_.resolved, way);
        if (resolved == nullptr) return;
        const auto found = trace_.beneath.find(resolved->pos);
        if (found == trace_.beneath.end()) return;
        std::vector<ExplainStep> lost;
        for (const auto& setting : found->second) {
            auto& step = lost.emplace_back();
            step.kind = "env_file";
            step.pos = setting.pos;
            step.value = setting.value;
        }
        out.insert(out.begin(), lost.begin(), lost.end());
    }

    void add_change(const Way& way, const Node* before, const Node& after, const char* kind,
                    std::vector<ExplainStep>& out) const {
        if (before != nullptr && shown_value(*before) == shown_value(after)) return;
        ExplainStep step;
        step.kind = kind;
        step.value = shown_value(after);
        const bool given = before != nullptr && !before->is_null();
        if (step.kind == "path") {
            step.pos = after.pos;
            step.kind = given ? "path" : "default";
        } else if (step.kind == "environment") {
            if (before == nullptr) {
                step.kind = "env_file";
                step.pos = after.pos;
            } else {
                step.variables.push_back({way.back().key, after.text, origin_of(way.back().key, after.text)});
            }
        }
        out.push_back(std::move(step));
    }

    std::string origin_of(const std::string& name, const std::optional<std::string>& value) const {
        if (!value) return "not set";
        const auto settings = trace_.dotenv.find(name);
        if (const auto shell = trace_.shell.find(name); shell != trace_.shell.end() && shell->second == *value) {
            if (settings == trace_.dotenv.end()) return "the environment";
            return fmt::format("the environment, which wins over {}", place(settings->second.back().pos));
        }
        if (settings != trace_.dotenv.end()) {
            const auto& all = settings->second;
            for (auto setting = all.rbegin(); setting != all.rend(); ++setting)
                if (setting->value == *value) return place(setting->pos);
        }
        return name == "COMPOSE_PROJECT_NAME" ? "the project's name" : "the environment";
    }

    std::string place(SourcePos pos) const {
        return pos.known() ? fmt::format("{}:{}:{}", sources_.name(pos.file), pos.line, pos.column) : "nowhere";
    }

    const Node& root_;
    const Trace& trace_;
    const SourceMap& sources_;
};

}  // namespace

Explanation explain(const LoadedProject& loaded, const SourceMap& sources, std::string_view path) {
    if (!loaded.tree || !loaded.trace) throw make_error("explain: the project was loaded without a trace");
    if (path.empty()) throw make_error(ErrorKind::usage, "which value? write a path like services.web.image");
    return Explainer(loaded, sources).explain(PathReader(loaded.tree->root, path).read());
}

}  // namespace compose
