// Tokens to a tree, by recursive descent.
#include <algorithm>

#include "base/strings.hpp"
#include "base/template_lexer.hpp"

namespace compose::tpl {
namespace {

using Kind = Token::Kind;

class Parser {
public:
    explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

    std::vector<Node> whole() {
        std::vector<Node> nodes = block();
        if (now().kind != Kind::end) fail(now().place, "{{{{{}}}}} without if, range or with", tokens_[at_ + 1].text);
        return nodes;
    }

private:
    [[nodiscard]] const Token& now() const { return tokens_[at_]; }
    const Token& take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
    bool accept(Kind kind) {
        if (now().kind != kind) return false;
        take();
        return true;
    }
    void expect_close() {
        if (!accept(Kind::close)) fail(now().place, "unexpected {} before }}}}", shown(now()));
    }
    static std::string shown(const Token& token) {
        if (!token.text.empty()) return quote(token.text);
        if (token.kind == Kind::constant) return boost::json::serialize(token.constant);
        switch (token.kind) {
            case Kind::pipe:
                return "\"|\"";
            case Kind::left:
                return "\"(\"";
            case Kind::right:
                return "\")\"";
            case Kind::close:
                return "}}";
            default:
                return "word";
        }
    }
    struct Deeper {
        Deeper(std::size_t& depth, Place place) : depth_(depth) {
            if (++depth_ > kMaxDepth) fail(place, "nested too deeply");
        }
        ~Deeper() { --depth_; }
        std::size_t& depth_;
    };

    /// Is this {{word ...}}?
    [[nodiscard]] bool at_action(std::string_view word) const {
        return now().kind == Kind::open && at_ + 1 < tokens_.size() && tokens_[at_ + 1].kind == Kind::word &&
               tokens_[at_ + 1].text == word;
    }

    std::vector<Node> block() {
        const Deeper deeper(depth_, now().place);
        std::vector<Node> nodes;
        while (now().kind != Kind::end && !at_action("end") && !at_action("else")) nodes.push_back(node());
        return nodes;
    }

    Node node() {
        Node result;
        result.place = now().place;
        if (now().kind == Kind::text) {
            result.text = take().text;
            return result;
        }
        take();  // {{
        if (now().kind == Kind::close) fail(result.place, "an action without content");
        if (now().kind == Kind::word && control(result)) return result;
        result.kind = Node::Kind::print;
        pipeline_with_variables(result, 1);
        if (!result.variables.empty()) result.kind = Node::Kind::set;
        expect_close();
        return result;
    }

    bool control(Node& node) {
        const std::string word = now().text;
        if (word == "if" || word == "with" || word == "range") {
            take();
            compound(node, word);
            return true;
        }
        if (word == "break" || word == "continue") {
            if (loops_ == 0) fail(now().place, "{} outside of range", word);
            take();
            node.kind = word == "break" ? Node::Kind::leave : Node::Kind::next;
            expect_close();
            return true;
        }
        for (const std::string_view other : {"define", "template", "block"})
            if (word == other) fail(now().place, "{} is not supported", word);
        return false;
    }

    void compound(Node& node, const std::string& word) {
        const Place opened = node.place;
        node.kind = word == "if" ? Node::Kind::branch : word == "with" ? Node::Kind::with : Node::Kind::loop;
        pipeline_with_variables(node, word == "range" ? 2 : 1);
        expect_close();
        if (word == "range") ++loops_;
        node.body = block();
        if (word == "range") --loops_;
        if (at_action("else")) {
            take();
            take();
            if (now().kind == Kind::word && now().text == word && word != "range") {
                // {{else if ...}}: one more block, one {{end}} for both.
                const Deeper deeper(depth_, now().place);
                Node inner;
                inner.place = take().place;
                compound(inner, word);
                node.otherwise.push_back(std::move(inner));
                return;
            }
            expect_close();
            node.otherwise = block();
        }
        if (!at_action("end")) fail(opened, "{{{{{}}}}} without {{{{end}}}}", word);
        take();
        take();
        expect_close();
    }

    void pipeline_with_variables(Node& node, std::size_t most) {
        std::size_t ahead = at_;
        std::vector<std::string> names;
        while (tokens_[ahead].kind == Kind::variable && names.size() < most) {
            names.push_back(tokens_[ahead].text);
            if (tokens_[++ahead].kind != Kind::comma) break;
            ++ahead;
        }
        const Kind after = tokens_[ahead].kind;
        if (!names.empty() && (after == Kind::declare || after == Kind::set)) {
            node.variables = std::move(names);
            node.declares = after == Kind::declare;
            at_ = ahead + 1;
        }
        node.pipeline = pipeline();
    }

    Expression pipeline() {
        const Deeper deeper(depth_, now().place);
        Expression result;
        result.kind = Expression::Kind::pipeline;
        result.place = now().place;
        do result.arguments.push_back(command(!result.arguments.empty()));
        while (accept(Kind::pipe));
        return result;
    }

    [[nodiscard]] bool at_operand() const {
        const Kind kind = now().kind;
        return kind == Kind::dot || kind == Kind::field || kind == Kind::variable || kind == Kind::word ||
               kind == Kind::constant || kind == Kind::left;
    }

    Expression command(bool piped) {
        if (!at_operand()) fail(now().place, "a value or function is missing before {}", shown(now()));
        Expression first = operand();
        if (first.kind == Expression::Kind::call) {
            while (at_operand()) first.arguments.push_back(operand());
            check_arguments(first, piped);
            return first;
        }
        if (at_operand() && !first.fields.empty()) return method(std::move(first), piped);
        if (at_operand()) fail(first.place, "this is not a function, so it can't have arguments");
        if (piped) fail(first.place, "only a function can stand after \"|\"");
        return first;
    }

    /// {{.Label "x"}}: Docker has it as a method; here it is an element of a map.
    Expression method(Expression subject, bool piped) {
        Expression result;
        result.kind = Expression::Kind::call;
        result.place = subject.place;
        result.name = "index";
        result.arguments.push_back(std::move(subject));
        while (at_operand()) result.arguments.push_back(operand());
        check_arguments(result, piped);
        return result;
    }

    static void check_arguments(const Expression& call, bool piped) {
        const FunctionInfo& info = *find_function(call.name);
        const int given = static_cast<int>(call.arguments.size()) + (piped ? 1 : 0);
        if (given < info.least || (info.most >= 0 && given > info.most))
            fail(call.place, "wrong number of arguments for {}: {}", call.name, given);
    }

    Expression operand() {
        const Token token = take();
        Expression result;
        result.place = token.place;
        switch (token.kind) {
            case Kind::field:
                result.fields.push_back(token.text);
                break;
            case Kind::variable:
                result.kind = Expression::Kind::variable;
                result.name = token.text;
                break;
            case Kind::constant:
                result.kind = Expression::Kind::constant;
                result.constant = token.constant;
                return result;
            case Kind::left:
                result = pipeline();
                if (!accept(Kind::right)) fail(token.place, "\")\" is missing");
                break;
            case Kind::word:
                return word(token);
            default:
                break;
        }
        while (now().kind == Kind::field && now().glued) result.fields.push_back(take().text);
        return result;
    }

    static Expression word(const Token& token) {
        Expression result;
        result.place = token.place;
        result.kind = Expression::Kind::constant;
        if (token.text == "true" || token.text == "false") {
            result.constant = token.text == "true";
        } else if (token.text != "nil") {
            result.kind = Expression::Kind::call;
            result.name = token.text;
            if (find_function(token.text) == nullptr) unknown_function(token);
        }
        return result;
    }

    [[noreturn]] static void unknown_function(const Token& token) {
        const std::string_view near = nearest(token.text, function_names());
        if (near.empty()) fail(token.place, "there is no function {} (fields begin with a dot)", quote(token.text));
        fail(token.place, "there is no function {} (did you mean {}?)", quote(token.text), near);
    }

    std::vector<Token> tokens_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
    std::size_t loops_ = 0;
};

}  // namespace

Tree parse(std::string_view text) {
    return {Parser(tokenize(text)).whole()};
}

}  // namespace compose::tpl
