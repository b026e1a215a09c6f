#include "model/canonical.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace compose {

namespace {

using Entries = std::vector<const Node::Entry*>;

Entries sorted_entries(const Node& map, const std::vector<std::string_view>& first = {}) {
    Entries out;
    out.reserve(map.entries.size());
    for (const auto& entry : map.entries) out.push_back(&entry);
    if (first.empty()) {
        std::sort(out.begin(), out.end(), [](const Node::Entry* a, const Node::Entry* b) { return a->key < b->key; });
        return out;
    }
    const auto rank = [&](const Node::Entry* entry) {
        const bool extension = entry->key.starts_with("x-");
        return std::find(first.begin(), first.end(), entry->key) - first.begin() + (extension ? 1 : 0);
    };
    std::sort(out.begin(), out.end(), [&](const Node::Entry* a, const Node::Entry* b) {
        const auto left = rank(a);
        const auto right = rank(b);
        return left != right ? left < right : a->key < b->key;
    });
    return out;
}

std::string with_doubled_dollars(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        out += c;
        if (c == '$') out += c;
    }
    return out;
}

bool needs_no_escape(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return c >= 0x20 && c != 0x7F && c != '"' && c != '\\'; });
}

void append_quoted(std::string& out, std::string_view text) {
    static constexpr std::string_view kHex = "0123456789abcdef";
    if (needs_no_escape(text)) {
        out += '"';
        out += text;
        out += '"';
        return;
    }
    out += '"';
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        // U+0080..U+009F, U+2028, U+2029 and the byte order mark end lines or vanish in YAML readers.
        const bool c1 = c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
        const bool separator = text.substr(i, 3) == "\xE2\x80\xA8" || text.substr(i, 3) == "\xE2\x80\xA9";
        if (c == '"' || c == '\\') {
            out += '\\';
            out += text[i];
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\t') {
            out += "\\t";
        } else if (c == '\r') {
            out += "\\r";
        } else if (c < 0x20 || c == 0x7F) {
            out += "\\u00";
            out += kHex[c >> 4U];
            out += kHex[c & 15U];
        } else if (c1) {
            const auto next = static_cast<unsigned char>(text[++i]);
            out += "\\u00";
            out += kHex[next >> 4U];
            out += kHex[next & 15U];
        } else if (separator) {
            out += text[i + 2] == '\xA8' ? "\\u2028" : "\\u2029";
            i += 2;
        } else if (text.substr(i, 3) == "\xEF\xBB\xBF") {
            out += "\\ufeff";
            i += 2;
        } else {
            out += text[i];
        }
    }
    out += '"';
}

/// Null, booleans and integers, which JSON and YAML write the same; false for all else.
bool write_simple(std::string& out, const Node& node) {
    if (node.kind == Node::Kind::null)
        out += "null";
    else if (node.kind == Node::Kind::boolean)
        out += node.boolean ? "true" : "false";
    else if (node.kind == Node::Kind::integer)
        out += std::to_string(node.integer);
    else
        return false;
    return true;
}

class JsonWriter {
public:
    JsonWriter(const RenderOptions& options, bool compact) : options_(options), compact_(compact) {}

    void write(const Node& node, std::size_t depth, const std::vector<std::string_view>& without = {}) {
        if (write_simple(out_, node)) return;
        switch (node.kind) {
            case Node::Kind::real:
                write_real(node.real);
                return;
            case Node::Kind::string:
                write_text(node.text);
                return;
            case Node::Kind::sequence:
                write_list(node, depth);
                return;
            case Node::Kind::mapping:
                write_map(node, depth, without);
                return;
            default:
                return;
        }
    }

    std::string take() { return std::move(out_); }

private:
    void write_text(const std::string& text) {
        if (options_.double_dollars && text.find('$') != std::string::npos) {
            append_quoted(out_, with_doubled_dollars(text));
        } else {
            append_quoted(out_, text);
        }
    }

    void write_real(double value) {
        const auto text = number_text(value);
        if (std::isfinite(value)) {
            out_ += text;
        } else {
            append_quoted(out_, text);  // JSON has no infinity
        }
    }

    void write_list(const Node& node, std::size_t depth) {
        if (node.items.empty()) {
            out_ += "[]";
            return;
        }
        out_ += '[';
        for (std::size_t i = 0; i < node.items.size(); ++i) {
            if (i > 0) out_ += ',';
            new_line(depth + 1);
            write(node.items[i], depth + 1);
        }
        new_line(depth);
        out_ += ']';
    }

    void write_map(const Node& node, std::size_t depth, const std::vector<std::string_view>& without) {
        bool any = false;
        out_ += '{';
        const auto& first = depth == 0 ? options_.top_first : kNone;
        for (const auto* entry : sorted_entries(node, first)) {
            if (std::find(without.begin(), without.end(), entry->key) != without.end()) continue;
            if (std::exchange(any, true)) out_ += ',';
            new_line(depth + 1);
            append_quoted(out_, entry->key);
            out_ += compact_ ? ":" : ": ";
            write(entry->value, depth + 1);
        }
        if (any) new_line(depth);
        out_ += '}';
    }

    void new_line(std::size_t depth) {
        if (compact_) return;
        out_ += '\n';
        out_.append(2 * depth, ' ');
    }

    inline static const std::vector<std::string_view> kNone;
    const RenderOptions& options_;
    bool compact_;
    std::string out_;
};

bool is_alnum(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Whether a YAML reader, 1.1 or 1.2, takes the bare text for a text and nothing else.
bool plain_is_safe(std::string_view text) {
    if (text.empty() || text.size() > 200 || text.back() == ' ' || text.back() == ':') return false;
    if (!is_alnum(text[0]) && text[0] != '/' && text[0] != '_' && text[0] != '.' && text[0] != '$') return false;
    std::string word;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c < 0x20 || c == 0x7F) return false;  // also every byte of a non-ASCII character
        if (c == ':' && text[i + 1] == ' ') return false;
        if (c == '#' && text[i - 1] == ' ') return false;
        word += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    static constexpr std::array<std::string_view, 11> kWords{"null", "true", "false", "yes",  "no",  "on",
                                                             "off",  "y",    "n",     ".nan", ".inf"};
    if (std::find(kWords.begin(), kWords.end(), word) != kWords.end()) return false;
    // Numbers in any base, dates and base 60 start with a digit or a dot and hold nothing but these; two dots are an
    // address or a version.
    const bool numeric_start = (text[0] >= '0' && text[0] <= '9') || text[0] == '.';
    return !numeric_start || word.find_first_not_of("0123456789abcdefox_+-.: tz") != std::string::npos ||
           std::count(word.begin(), word.end(), '.') > 1;
}

// A literal block keeps every byte if its lines are printable and the first one shows the indentation.
bool block_is_safe(std::string_view text) {
    if (text.find('\n') == std::string_view::npos || text.front() == ' ' || text.front() == '\n') return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7F) return false;
        if (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) return false;
        if (text.substr(i, 2) == "\xE2\x80" || text.substr(i, 3) == "\xEF\xBB\xBF") return false;
    }
    return text.front() != '\t';
}

class YamlWriter {
public:
    explicit YamlWriter(const RenderOptions& options) : options_(options) {}

    void write_root(const Node& root) {
        if (root.is_mapping() && !root.entries.empty()) return write_map(root, 0);
        write_inline(root, 0);
        out_ += '\n';
    }

    std::string take() { return std::move(out_); }

private:
    static bool is_block(const Node& node) { return !node.items.empty() || !node.entries.empty(); }

    void write_map(const Node& node, std::size_t depth, bool first_inline = false) {
        const auto& order = depth == 0 ? options_.top_first : kNone;
        for (const auto* entry : sorted_entries(node, order)) {
            if (!std::exchange(first_inline, false)) indent(depth);
            write_scalar_text(entry->key, depth, true);
            out_ += ':';
            write_child(entry->value, depth + 1);
        }
    }

    // What follows "key:".
    void write_child(const Node& value, std::size_t depth) {
        if (!is_block(value)) {
            out_ += ' ';
            write_inline(value, depth);
            out_ += '\n';
        } else {
            out_ += '\n';
            if (value.is_mapping()) return write_map(value, depth);
            write_list(value, depth);
        }
    }

    void write_list(const Node& node, std::size_t depth) {
        for (const auto& item : node.items) {
            indent(depth);
            out_ += "- ";
            if (item.is_mapping() && is_block(item)) {
                write_map(item, depth + 1, true);
            } else if (is_block(item)) {
                out_.pop_back();
                out_ += '\n';
                write_list(item, depth + 1);
            } else {
                write_inline(item, depth + 1);
                out_ += '\n';
            }
        }
    }

    void write_inline(const Node& node, std::size_t depth) {
        if (write_simple(out_, node)) return;
        switch (node.kind) {
            case Node::Kind::real:
                out_ += yaml_real(node.real);
                return;
            case Node::Kind::string:
                write_scalar_text(options_.double_dollars ? with_doubled_dollars(node.text) : node.text, depth, false);
                return;
            case Node::Kind::sequence:
                out_ += "[]";
                return;
            case Node::Kind::mapping:
                out_ += "{}";
                return;
            default:
                return;
        }
    }

    static std::string yaml_real(double value) {
        if (std::isnan(value)) return ".nan";
        if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
        return number_text(value);
    }

    void write_scalar_text(std::string_view text, std::size_t depth, bool key) {
        if (plain_is_safe(text)) {
            out_ += text;
        } else if (!key && !text.empty() && block_is_safe(text)) {
            write_block(text, depth);
        } else {
            append_quoted(out_, text);
        }
    }

    void write_block(std::string_view text, std::size_t depth) {
        out_ += '|';
        if (!text.ends_with('\n')) {
            out_ += '-';
        } else if (text.ends_with("\n\n")) {
            out_ += '+';
        }
        const bool ended = text.ends_with('\n');
        if (ended) text.remove_suffix(1);
        while (true) {
            const auto end = text.find('\n');
            out_ += '\n';
            if (!text.substr(0, end).empty()) {
                indent(depth);
                out_ += text.substr(0, end);
            }
            if (end == std::string_view::npos) return;
            text.remove_prefix(end + 1);
        }
    }

    void indent(std::size_t depth) { out_.append(2 * depth, ' '); }

    inline static const std::vector<std::string_view> kNone;
    const RenderOptions& options_;
    std::string out_;
};

}  // namespace

std::string number_text(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    std::array<char, 64> buffer{};
    const double size = std::fabs(value);
    const auto format =
        size == 0 || (size >= 1e-4 && size < 1e21) ? std::chars_format::fixed : std::chars_format::scientific;
    const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format);
    return error == std::errc{} ? std::string(buffer.data(), end) : std::to_string(value);
}

std::string json_quoted(std::string_view text) {
    std::string out;
    append_quoted(out, text);
    return out;
}

std::string render_json(const Node& root, const RenderOptions& options) {
    JsonWriter writer(options, false);
    writer.write(root, 0);
    return writer.take();
}

std::string render_compact_json(const Node& root, const std::vector<std::string_view>& without) {
    const RenderOptions options;
    JsonWriter writer(options, true);
    writer.write(root, 0, without);
    return writer.take();
}

std::string render_yaml(const Node& root, const RenderOptions& options) {
    YamlWriter writer(options);
    writer.write_root(root);
    return writer.take();
}

}  // namespace compose
