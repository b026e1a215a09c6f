// --chmod and --chown: modes in octal or symbolic form, users and groups of an image. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace compose::build {

class ModeChange {
public:
    ModeChange() = default;
    /// "755", "u=rwX,go-w"; empty changes nothing. Throws Error(invalid).
    explicit ModeChange(std::string_view text);
    [[nodiscard]] unsigned apply(unsigned mode, bool directory) const;
    [[nodiscard]] bool empty() const { return !absolute_ && clauses_.empty(); }

private:
    struct Clause {
        unsigned who = 0;  // 0700, 0070, 0007 and their sum
        char action = '+';
        unsigned bits = 0;  // of rwx, as for others
        bool execute_if_any = false;
        unsigned special = 0;  // 06000 by u and g, 01000
    };
    bool absolute_ = false;
    unsigned value_ = 0;
    std::vector<Clause> clauses_;
};

struct Owner {
    std::uint32_t user = 0;
    std::uint32_t group = 0;
    friend bool operator==(const Owner&, const Owner&) = default;
};
/// "app", "1000", "app:staff", "1000:1000"; names are looked up in the texts of /etc/passwd and /etc/group. Without a
/// group it is the user's number, as COPY --chown has it, or with `primary_group` the one that the user belongs to.
/// Throws Error(invalid).
[[nodiscard]] Owner parse_owner(std::string_view text, std::string_view passwd, std::string_view group,
                                bool primary_group = false);

}  // namespace compose::build
