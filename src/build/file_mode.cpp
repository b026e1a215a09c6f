#include "build/file_mode.hpp"

#include <charconv>
#include <optional>

#include "base/error.hpp"
#include "base/strings.hpp"

namespace compose::build {

namespace {

std::optional<std::uint32_t> number(std::string_view text, int base, std::uint32_t max) {
    std::uint32_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (text.empty() || code != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
    return value;
}

bool is_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// The fields of the line whose first one is `name` (or, with `by_id`, whose third one is).
std::optional<std::vector<std::string>> find_entry(std::string_view file, std::string_view name, bool by_id = false) {
    while (!file.empty()) {
        const auto end = std::min(file.find('\n'), file.size());
        const auto line = file.substr(0, end);
        file.remove_prefix(std::min(end + 1, file.size()));
        if (line.empty() || line.size() > 4096) continue;
        auto fields = split(line, ':');
        if (fields.size() >= 3 && fields[by_id ? 2 : 0] == name) return fields;
    }
    return std::nullopt;
}

constexpr std::uint32_t kMaxId = 0x7fffffff;

std::uint32_t id_of(std::string_view text, std::string_view file, const char* kind, const char* where) {
    // All digits is a number, even when some entry has it for a name.
    if (is_digits(text)) {
        if (const auto id = number(text, 10, kMaxId)) return *id;
        throw make_error(ErrorKind::invalid, "{} is no {} id", quote(text), kind);
    }
    const auto fields = find_entry(file, text);
    const auto id = fields ? number((*fields)[2], 10, kMaxId) : std::nullopt;
    if (!id) throw make_error(ErrorKind::invalid, "there is no {} {} in the image's {}", kind, quote(text), where);
    return *id;
}

}  // namespace

ModeChange::ModeChange(std::string_view text) {
    if (text.empty()) return;
    const auto bad = [&] {
        return make_error(ErrorKind::invalid, "{} is not a mode", quote(text)).with_hint("write 0755 or u=rwX,go-w");
    };
    if (text.front() >= '0' && text.front() <= '9') {
        const auto value = number(text, 8, 07777);
        if (!value) throw bad();
        absolute_ = true;
        value_ = *value;
        return;
    }
    for (const auto& part : split(text, ',')) {
        std::size_t at = 0;
        unsigned who = 0;
        for (; at < part.size(); ++at) {
            if (part[at] == 'u')
                who |= 0700U;
            else if (part[at] == 'g')
                who |= 0070U;
            else if (part[at] == 'o')
                who |= 0007U;
            else if (part[at] == 'a')
                who |= 0777U;
            else
                break;
        }
        if (who == 0) who = 0777;
        if (at == part.size()) throw bad();
        while (at < part.size()) {
            Clause clause;
            clause.who = who;
            clause.action = part[at++];
            if (clause.action != '+' && clause.action != '-' && clause.action != '=') throw bad();
            for (; at < part.size() && part[at] != '+' && part[at] != '-' && part[at] != '='; ++at) {
                switch (part[at]) {
                    case 'r':
                        clause.bits |= 4U;
                        break;
                    case 'w':
                        clause.bits |= 2U;
                        break;
                    case 'x':
                        clause.bits |= 1U;
                        break;
                    case 'X':
                        clause.execute_if_any = true;
                        break;
                    case 's':
                        clause.special |= ((who & 0700U) != 0 ? 04000U : 0U) | ((who & 0070U) != 0 ? 02000U : 0U);
                        break;
                    case 't':
                        clause.special |= 01000U;
                        break;
                    default:
                        throw bad();
                }
            }
            clauses_.push_back(clause);
        }
    }
}

unsigned ModeChange::apply(unsigned mode, bool directory) const {
    if (absolute_) return value_;
    for (const auto& clause : clauses_) {
        auto bits = clause.bits;
        if (clause.execute_if_any && (directory || (mode & 0111U) != 0)) bits |= 1U;
        const auto wanted = (bits * 0111U) & clause.who;
        if (clause.action == '+')
            mode |= wanted | clause.special;
        else if (clause.action == '-')
            mode &= ~(wanted | clause.special);
        else
            mode = (mode & ~clause.who) | wanted | clause.special;
    }
    return mode & 07777U;
}

Owner parse_owner(std::string_view text, std::string_view passwd, std::string_view group, bool primary_group) {
    Owner out;
    if (text.empty()) return out;
    const auto colon = text.find(':');
    const auto user = text.substr(0, colon);
    if (user.empty()) throw make_error(ErrorKind::invalid, "{} names no user", quote(text));
    out.user = id_of(user, passwd, "user", "/etc/passwd");
    if (colon != std::string_view::npos) {
        const auto name = text.substr(colon + 1);
        if (name.empty()) throw make_error(ErrorKind::invalid, "{} names no group", quote(text));
        out.group = id_of(name, group, "group", "/etc/group");
        return out;
    }
    out.group = primary_group ? 0 : out.user;
    const auto entry = is_digits(user) ? find_entry(passwd, user, true) : find_entry(passwd, user);
    if (entry && entry->size() >= 4 && (primary_group || !is_digits(user)))
        out.group = number((*entry)[3], 10, kMaxId).value_or(out.group);
    return out;
}

}  // namespace compose::build
