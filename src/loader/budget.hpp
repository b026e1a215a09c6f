// What one load may use up, all its files together: a hostile project multiplies what small files say (include,
// extends, env_file, variables).
#pragma once

#include <cstddef>

#include "model/node.hpp"

namespace compose {

class Budget {
public:
    static constexpr std::size_t kMaxFiles = 1'000;                  // Compose files read
    static constexpr std::size_t kMaxValues = 400'000;               // of all trees
    static constexpr std::size_t kMaxText = std::size_t{32} << 20U;  // bytes that expressions add

    enum class Outcome { fine, spent, spent_before };  // `spent` only once: report it then

    Outcome take_file() { return take(files_, 1, kMaxFiles); }
    Outcome take_values(std::size_t count) { return take(values_, count, kMaxValues); }
    [[nodiscard]] bool values_spent() const { return values_ > kMaxValues; }
    [[nodiscard]] bool text_spent() const { return text_ > kMaxText; }
    Outcome take_text(std::size_t bytes) { return take(text_, bytes, kMaxText); }

private:
    static Outcome take(std::size_t& used, std::size_t count, std::size_t most) {
        if (used > most) return Outcome::spent_before;
        used += count;
        return used > most ? Outcome::spent : Outcome::fine;
    }

    std::size_t files_ = 0, values_ = 0, text_ = 0;
};

/// The values of a tree, itself included.
[[nodiscard]] inline std::size_t count_values(const Node& node) {
    std::size_t count = 1;
    for (const auto& entry : node.entries) count += count_values(entry.value);
    for (const auto& item : node.items) count += count_values(item);
    return count;
}

}  // namespace compose
