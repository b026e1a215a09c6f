// Walks a parsed template over a value.
#include "base/template.hpp"

#include <algorithm>
#include <deque>

#include "base/strings.hpp"
#include "base/template_tree.hpp"

namespace compose {
namespace tpl {
namespace {

namespace json = boost::json;

class Evaluator {
public:
    Evaluator(const TemplateShape& shape, bool heading) : shape_(shape), heading_(heading) {}

    std::string run(const Tree& tree, const json::value& data) {
        variables_.emplace_back("$", &data);
        walk(tree.nodes, &data);
        return std::move(out_);
    }

private:
    enum class Flow { on, leave, next };

    void step(Place place) {
        if (++steps_ > kMaxSteps) fail(place, "takes too long");
    }

    Value hold(json::value value, Place place) {
        if (const auto* text = value.if_string()) made_ += text->size();
        if (made_ > kMaxOutput) fail(place, "makes too much text");
        return &held_.emplace_back(std::move(value));
    }

    Flow walk(const std::vector<Node>& nodes, Value dot) {
        const std::size_t scope = variables_.size();
        Flow flow = Flow::on;
        for (const Node& node : nodes) {
            flow = visit(node, dot);
            if (flow != Flow::on) break;
        }
        variables_.resize(scope);
        return flow;
    }

    Flow visit(const Node& node, Value dot) {
        step(node.place);
        switch (node.kind) {
            case Node::Kind::text:
                out_ += node.text;
                break;
            case Node::Kind::print:
                print(node, evaluate(node.pipeline, dot));
                break;
            case Node::Kind::set:
                set(node, evaluate(node.pipeline, dot));
                break;
            case Node::Kind::leave:
                return Flow::leave;
            case Node::Kind::next:
                return Flow::next;
            case Node::Kind::branch:
            case Node::Kind::with:
                return choose(node, dot);
            case Node::Kind::loop:
                return loop(node, dot);
        }
        return Flow::on;
    }

    void print(const Node& node, Value value) {
        if (value == &kNilList)
            out_ += "[]";
        else if (value == &kNilMap)
            out_ += "map[]";
        else
            print_value(value, out_);
        if (out_.size() > kMaxOutput) fail(node.place, "makes too much text");
    }

    void set(const Node& node, Value value) {
        const std::string& name = node.variables.front();
        if (node.declares) {
            variables_.emplace_back(name, value);
            return;
        }
        for (auto entry = variables_.rbegin(); entry != variables_.rend(); ++entry)
            if (entry->first == name) {
                entry->second = value;
                return;
            }
        fail(node.place, "there is no variable {}", name);
    }

    Flow choose(const Node& node, Value dot) {
        const std::size_t scope = variables_.size();
        const Value value = evaluate(node.pipeline, dot);
        if (!node.variables.empty()) set(node, value);
        const Value inner = node.kind == Node::Kind::with && is_true(value) ? value : dot;
        const Flow flow = walk(is_true(value) ? node.body : node.otherwise, inner);
        variables_.resize(scope);
        return flow;
    }

    /// Keys and values; those of an object sorted by key, as Go does it.
    std::vector<std::pair<Value, Value>> entries(const Node& node, Value value) {
        std::vector<std::pair<Value, Value>> result;
        if (value == nullptr || value->is_null()) return result;
        if (const json::array* list = value->if_array()) {
            std::int64_t index = 0;
            for (const json::value& item : *list) result.emplace_back(hold(index++, node.place), &item);
        } else if (const json::object* object = value->if_object()) {
            std::vector<const json::key_value_pair*> sorted;
            for (const auto& entry : *object) sorted.push_back(&entry);
            std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
                return std::string_view(a->key()) < std::string_view(b->key());
            });
            for (const auto* entry : sorted)
                result.emplace_back(hold(json::value(entry->key()), node.place), &entry->value());
        } else {
            fail(node.place, "range needs a list or an object");
        }
        return result;
    }

    Flow loop(const Node& node, Value dot) {
        const auto list = entries(node, evaluate(node.pipeline, dot));
        if (list.empty()) return walk(node.otherwise, dot);
        const std::size_t scope = variables_.size();
        for (const auto& [key, value] : list) {
            step(node.place);
            if (node.variables.size() == 2) variables_.emplace_back(node.variables[0], key);
            if (!node.variables.empty()) variables_.emplace_back(node.variables.back(), value);
            const Flow flow = walk(node.body, value);
            variables_.resize(scope);
            if (flow == Flow::leave) break;
        }
        return Flow::on;
    }

    Value evaluate(const Expression& expression, Value dot) {
        step(expression.place);
        Value value = nullptr;
        switch (expression.kind) {
            case Expression::Kind::dot:
                value = dot;
                break;
            case Expression::Kind::constant:
                return &expression.constant;
            case Expression::Kind::variable:
                value = variable(expression);
                break;
            case Expression::Kind::call:
                value = apply(expression, dot, nullptr, false);
                break;
            case Expression::Kind::pipeline:
                value = pipe(expression, dot);
                break;
        }
        return fields(expression, value);
    }

    Value variable(const Expression& expression) {
        for (auto entry = variables_.rbegin(); entry != variables_.rend(); ++entry)
            if (entry->first == expression.name) return entry->second;
        fail(expression.place, "there is no variable {}", expression.name);
    }

    Value pipe(const Expression& expression, Value dot) {
        Value value = evaluate(expression.arguments.front(), dot);
        for (std::size_t i = 1; i < expression.arguments.size(); ++i)
            value = apply(expression.arguments[i], dot, value, true);
        return value;
    }

    Value apply(const Expression& call_expression, Value dot, Value last, bool piped) {
        const std::string& name = call_expression.name;
        if (name == "and" || name == "or") {
            Value value = nullptr;
            for (const Expression& argument : call_expression.arguments) {
                value = evaluate(argument, dot);
                if (is_true(value) == (name == "or")) return value;
            }
            return piped ? last : value;
        }
        std::vector<Value> arguments;
        for (const Expression& argument : call_expression.arguments) arguments.push_back(evaluate(argument, dot));
        if (piped) arguments.push_back(last);
        // A heading stays what it is; it is the first argument of all of these.
        if (heading_ && !arguments.empty())
            for (const std::string_view same : {"json", "join", "lower", "upper", "title", "split", "truncate"})
                if (name == same) return arguments.front();
        if (heading_ && name == "index" && !arguments.front()->is_object())
            return hold(call("upper", {arguments.back()}, call_expression.place), call_expression.place);
        return hold(call(name, arguments, call_expression.place), call_expression.place);
    }

    Value fields(const Expression& expression, Value value) {
        std::string_view parent;
        for (const std::string& field : expression.fields) {
            value = member(expression.place, value, field, parent);
            parent = field;
        }
        return value;
    }

    Value member(Place place, Value value, const std::string& field, std::string_view parent) {
        if (value == nullptr || value->is_null()) fail(place, "nil has no field {}", quote(field));
        const json::object* object = value->if_object();
        if (object == nullptr) fail(place, "there is no field {} in a {}", quote(field), kind_of(*value));
        if (const json::value* found = object->if_contains(field)) {
            if (!found->is_null()) return found;
            return shape_.lists.contains(field) ? &kNilList : shape_.maps.contains(field) ? &kNilMap : found;
        }
        if (shape_.methods != nullptr && parent.empty())
            if (const json::value* found = shape_.methods->if_contains(field)) return found;
        if (shape_.optional.contains(field) || shape_.maps.contains(parent)) return nullptr;
        std::vector<std::string_view> names;
        for (const auto& entry : *object) names.emplace_back(entry.key());
        const std::string_view near = nearest(field, names);
        if (near.empty()) fail(place, "there is no field {}", quote(field));
        fail(place, "there is no field {} (did you mean {}?)", quote(field), near);
    }

    static std::string_view kind_of(const json::value& value) {
        if (value.is_string()) return "text";
        if (value.is_array()) return "list";
        return value.is_bool() ? "bool" : "number";
    }

    // Null, told apart by where they are: `json` shows both as null.
    inline static const json::value kNilList, kNilMap;

    const TemplateShape& shape_;
    const bool heading_;
    std::vector<std::pair<std::string, Value>> variables_;
    std::deque<json::value> held_;
    std::size_t steps_ = 0;
    std::size_t made_ = 0;
    std::string out_;
};

}  // namespace
}  // namespace tpl

Template::Template(std::string_view text) : tree_(std::make_unique<const tpl::Tree>(tpl::parse(text))) {}
Template::~Template() = default;
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;

std::string Template::render(const boost::json::value& data, const TemplateShape& shape) const {
    return tpl::Evaluator(shape, false).run(*tree_, data);
}

std::string Template::render_heading(const boost::json::value& headers) const {
    const TemplateShape shape;
    return tpl::Evaluator(shape, true).run(*tree_, headers);
}

std::string unescape_format(std::string_view format) {
    std::string out;
    for (std::size_t i = 0; i < format.size(); ++i) {
        const char next = i + 1 < format.size() ? format[i + 1] : '\0';
        if (format[i] == '\\' && (next == 't' || next == 'n')) {
            out += next == 't' ? '\t' : '\n';
            ++i;
        } else {
            out += format[i];
        }
    }
    return out;
}

}  // namespace compose
