#include "loader/yaml_reader.hpp"

#include <array>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "base/strings.hpp"
#include "loader/simple_yaml.hpp"
#include "loader/yaml_builder.hpp"

namespace compose {

namespace {

/// yaml-cpp's events with its marks (0-based, in bytes) and tags ("?" plain, "!" quoted) put into ours.
class EventAdapter final : public YAML::EventHandler {
public:
    EventAdapter(YamlBuilder& builder, std::uint32_t file, std::string_view text)
        : builder_(builder), file_(file), text_(text) {}

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        builder_.scalar(at(mark), "", false, anchor, "");
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override { builder_.alias(at(mark), anchor); }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& text) override {
        if (tag == "!") check_closed(mark);
        builder_.scalar(at(mark), own_tag(tag), tag == "!", anchor, text);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        builder_.begin_sequence(at(mark), own_tag(tag), anchor);
    }
    void OnSequenceEnd() override { builder_.end(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        builder_.begin_mapping(at(mark), own_tag(tag), anchor);
    }
    void OnMapEnd() override { builder_.end(); }

private:
    [[nodiscard]] SourcePos at(const YAML::Mark& mark) const {
        return {file_, static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1)};
    }
    /// yaml-cpp takes a quoted text that the end of the file cuts off.
    void check_closed(const YAML::Mark& mark) {
        const auto start = static_cast<std::size_t>(mark.pos);
        const char quote = start < text_.size() ? text_[start] : ' ';
        if (quote != '"' && quote != '\'') return;
        for (auto i = start + 1; i < text_.size(); ++i) {
            if (text_[i] == quote && (quote == '"' || i + 1 >= text_.size() || text_[i + 1] != quote)) return;
            if (text_[i] == quote || (text_[i] == '\\' && quote == '"')) ++i;
        }
        builder_.abort(at(mark), "invalid YAML: the quoted text has no end", "close the quote");
    }
    static std::string_view own_tag(std::string_view tag) {
        return tag == "?" || tag == "!" ? std::string_view{} : tag;
    }

    YamlBuilder& builder_;
    std::uint32_t file_;
    std::string_view text_;
};

struct Advice {
    std::string_view cause;  // how yaml-cpp's message begins
    std::string_view message;
    std::string_view hint;
};
constexpr std::array kAdvice{
    Advice{"end of map not found", "the line does not fit the mapping that it stands in",
           "check the indentation of this line"},
    Advice{"end of sequence not found", "the line does not fit the list that it stands in",
           "check the indentation of this line"},
    Advice{"end of map flow not found", "the mapping that begins with { has no end", "close it with }"},
    Advice{"end of sequence flow not found", "the list that begins with [ has no end", "close it with ]"},
    Advice{"illegal map value", "a mapping value is not allowed here", "put a value that holds \": \" in quotes"},
    Advice{"illegal EOF in scalar", "the quoted text has no end", "close the quote"},
    Advice{"illegal document indicator in scalar", "the quoted text has no end before the document's",
           "close the quote"},
    Advice{"unknown token", "no YAML value can begin with this character",
           "tabs cannot indent; put other text in quotes"},
    Advice{"illegal tab", "a tab cannot indent in YAML", "use blanks"},
    Advice{"the referenced anchor is not defined", "the alias names no anchor before it", ""},
    Advice{"illegal block entry", "a list item is not allowed here", "check the indentation of this line"},
};

void report(const YAML::Exception& error, std::uint32_t file, Diagnostics& findings) {
    SourcePos pos{file, 1, 1};
    if (!error.mark.is_null())
        pos = {file, static_cast<std::uint32_t>(error.mark.line + 1),
               static_cast<std::uint32_t>(error.mark.column + 1)};
    const std::string_view line = findings.sources.line(pos);
    const auto first = line.find_first_not_of(" ");
    if (first != std::string_view::npos && line[first] == '\t') {
        pos.column = static_cast<std::uint32_t>(first + 1);
        findings.error(pos, "", "a tab cannot indent in YAML", "use blanks");
        return;
    }
    for (const auto& advice : kAdvice) {
        if (!error.msg.starts_with(advice.cause)) continue;
        findings.error(pos, "", fmt::format("invalid YAML: {}", advice.message), std::string(advice.hint));
        return;
    }
    findings.error(pos, "", fmt::format("invalid YAML: {}", error.msg));
}

bool allowed_in_yaml(unsigned char c) {
    return c >= 0x20 ? c != 0x7F : c == '\t' || c == '\n' || c == '\r';
}

std::size_t first_invalid_utf8(std::string_view line) {
    for (std::size_t i = 0; i < line.size();) {
        const auto lead = static_cast<unsigned char>(line[i]);
        const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        if (!is_valid_utf8(line.substr(i, length))) return i;
        i += length;
    }
    return 0;
}

/// Reports what makes the text no YAML at all, before any parser sees it.
bool check_bytes(std::uint32_t file, std::string_view text, Diagnostics& findings, const YamlOptions& options) {
    SourcePos pos{file, 1, 1};
    if (text.size() > options.bytes) {
        findings.error(pos, "", fmt::format("the file is larger than {} MiB", options.bytes >> 20U));
        return false;
    }
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto line = text.substr(0, end);
        for (std::size_t i = 0; i < line.size(); ++i) {
            if (allowed_in_yaml(static_cast<unsigned char>(line[i]))) continue;
            pos.column = static_cast<std::uint32_t>(i + 1);
            findings.error(pos, "",
                           fmt::format("the control character 0x{:02x} is not allowed in YAML",
                                       static_cast<unsigned char>(line[i])));
            return false;
        }
        if (!is_valid_utf8(line)) {
            pos.column = static_cast<std::uint32_t>(first_invalid_utf8(line) + 1);
            findings.error(pos, "", "the file is not valid UTF-8", "save it as UTF-8");
            return false;
        }
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
        ++pos.line;
    }
    return true;
}

std::string without_carriage_returns(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') out += text[i];
    return out;
}

}  // namespace

std::string_view without_bom(std::string_view text) {
    return text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text;
}

namespace {

std::vector<Node> read_with_yaml_cpp(std::uint32_t file, std::string_view text, Diagnostics& findings,
                                     YamlBuilder& builder) {
    std::vector<Node> documents;
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        EventAdapter adapter(builder, file, text);
        while (parser.HandleNextDocument(adapter)) documents.push_back(builder.take());
        return documents;
    } catch (const YAML::Exception& error) {
        report(error, file, findings);
        return {};
    }
}

}  // namespace

std::vector<Node> read_yaml(std::uint32_t file, Diagnostics& findings, const YamlOptions& options) {
    std::string_view text = findings.sources.text(file);
    if (!check_bytes(file, text, findings, options)) return {};
    std::string clean;
    if (text.find('\r') != std::string_view::npos) text = clean = without_carriage_returns(text);
    std::vector<Node> documents;
    YamlBuilder quick(findings.sources, options);
    YamlBuilder full(findings.sources, options);
    bool simple = options.quick;
    try {
        if (simple) simple = read_simple_yaml(text, file, quick);
        if (simple)
            documents.push_back(quick.take());
        else
            documents = read_with_yaml_cpp(file, text, findings, full);
    } catch (const YamlAbort&) {
        documents.clear();
    }
    (simple ? quick : full).report(findings);
    return documents;
}

}  // namespace compose
