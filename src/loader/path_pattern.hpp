// Rule tables keyed by place in the tree: "services.*.ports" → rule. `*` is any key, `[]` any list item. A cursor walks
// the table beside the tree, so that a whole tree is matched in one pass without building path texts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace compose {

/// The way from the root to a value, kept on the stack of a recursive walk; text only when a finding needs it.
struct PathFrame {
    const PathFrame* parent = nullptr;
    std::string_view key;
    std::size_t index = 0;
    bool is_item = false;

    [[nodiscard]] PathFrame child(std::string_view name) const { return {this, name, 0, false}; }
    [[nodiscard]] PathFrame item(std::size_t at) const { return {this, {}, at, true}; }
};
/// "services.web.ports[0]"; control characters of keys are escaped, since a path is printed.
[[nodiscard]] std::string to_string(const PathFrame& path);

/// The shape of a rule table: which node of it a walk has reached.
class PathTrie {
public:
    /// Never more than this many table nodes match one place: each step can double them by a `*`, tables are shallow.
    static constexpr std::size_t kMaxMatches = 8;

    class Cursor {
    public:
        [[nodiscard]] bool dead() const { return count_ == 0; }
        [[nodiscard]] Cursor child(std::string_view key) const;
        [[nodiscard]] Cursor item() const;
        /// The number of the rule that ends here; an exact key wins over `*`.
        [[nodiscard]] std::optional<std::size_t> rule() const;

    private:
        friend class PathTrie;
        void add(std::uint32_t node) {
            if (count_ < kMaxMatches) nodes_[count_++] = node;
        }
        const PathTrie* trie_ = nullptr;
        std::array<std::uint32_t, kMaxMatches> nodes_{};
        std::size_t count_ = 0;
    };

    PathTrie();
    void add(std::string_view pattern, std::size_t rule);
    [[nodiscard]] Cursor root() const;

private:
    struct TableNode {
        std::vector<std::pair<std::string, std::uint32_t>> keys;  // sorted
        std::uint32_t any = 0;                                    // 0: none; the root is never a child
        std::uint32_t item = 0;
        std::optional<std::size_t> rule;
    };
    std::uint32_t step_in(std::uint32_t node, std::string_view part);
    std::vector<TableNode> nodes_;
};

/// A rule table: patterns with a value each.
template <class T>
class PathTable {
public:
    PathTable(std::initializer_list<std::pair<std::string_view, T>> rows) : PathTable(std::span(rows)) {}
    explicit PathTable(std::span<const std::pair<std::string_view, T>> rows) {
        for (const auto& [pattern, value] : rows) {
            trie_.add(pattern, values_.size());
            values_.push_back(value);
        }
    }
    [[nodiscard]] PathTrie::Cursor root() const { return trie_.root(); }
    [[nodiscard]] const T* at(const PathTrie::Cursor& cursor) const {
        const auto rule = cursor.rule();
        return rule ? &values_[*rule] : nullptr;
    }

private:
    PathTrie trie_;
    std::vector<T> values_;
};

}  // namespace compose
