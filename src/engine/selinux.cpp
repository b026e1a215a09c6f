#include "engine/selinux.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "sys/dir.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"
#include "sys/tree.hpp"

namespace compose::engine {
namespace {

constexpr const char* kAttribute = "security.selinux";
constexpr std::size_t kMaxDepth = 400;  // each level holds a descriptor open
constexpr unsigned kCategories = 1024;

/// "key = value" of a file of settings; empty when it is not there.
std::string setting(const std::string& text, std::string_view key) {
    for (const std::string& line : split(text, '\n')) {
        const auto equals = line.find('=');
        if (equals == std::string::npos || trim(line.substr(0, equals)) != key) continue;
        std::string value(trim(line.substr(equals + 1)));
        std::erase(value, '"');
        return value;
    }
    return {};
}

/// User, role, type and level, which may hold colons itself.
using Parts = std::array<std::string, 4>;
constexpr std::array<std::string_view, 4> kParts{"user", "role", "type", "level"};

Parts parts_of(const std::string& context) {
    Parts out;
    std::size_t at = 0;
    for (std::size_t i = 0; i < out.size() && at <= context.size(); ++i) {
        const auto colon = i + 1 < out.size() ? context.find(':', at) : std::string::npos;
        out[i] = context.substr(at, colon == std::string::npos ? colon : colon - at);
        if (colon == std::string::npos) break;
        at = colon + 1;
    }
    return out;
}

std::string text_of(const Parts& parts) {
    std::string out = parts[0];
    for (std::size_t i = 1; i < parts.size(); ++i)
        if (!parts[i].empty()) out += ":" + parts[i];
    return out;
}

/// The same for the same id, and hardly ever for another.
std::string level_of(const std::string& id) {
    const std::string digits = sha256_hex(id);
    std::uint32_t number = 0;
    std::from_chars(digits.data(), digits.data() + 8, number, 16);
    const unsigned first = number % kCategories;
    const unsigned second = (first + 1 + number / kCategories % (kCategories - 1)) % kCategories;
    return fmt::format("s0:c{},c{}", std::min(first, second), std::max(first, second));
}

/// Ones without levels are of a policy that has none.
std::string with_level(const std::string& context, const std::string& level) {
    Parts parts = parts_of(context);
    if (!parts[3].empty()) parts[3] = level;
    return text_of(parts);
}

void label_entry(sys::FdRef folder, const std::string& name, const std::string& label) {
    const int error = sys::set_xattr_at(folder, name, kAttribute, label);
    if (error == 0 || error == ENOTSUP || error == ENOENT || error == EROFS) return;
    throw make_error("give {} the SELinux context {}: {}", name, label, sys::errno_text(error));
}

void label_below(sys::FdRef folder, const std::string& label, std::size_t depth) {
    for (const std::string& name : sys::list_directory(folder)) {
        label_entry(folder, name, label);
        if (depth >= kMaxDepth) continue;
        if (const auto inner = sys::open_directory_at(folder, name)) label_below(*inner, label, depth + 1);
    }
}

}  // namespace

std::optional<SelinuxContexts> read_selinux_contexts(const std::string& root) {
    if (!sys::exists(root + "/sys/fs/selinux/enforce")) return std::nullopt;
    const std::string policy =
        setting(sys::read_file_if_exists(root + "/etc/selinux/config").value_or(""), "SELINUXTYPE");
    if (policy.empty() || policy.find('/') != std::string::npos) return std::nullopt;
    const auto text = sys::read_file_if_exists(root + "/etc/selinux/" + policy + "/contexts/lxc_contexts");
    if (!text) return std::nullopt;
    SelinuxContexts out{setting(*text, "process"), setting(*text, "file")};
    if (out.process.empty() || out.file.empty()) return std::nullopt;
    return out;
}

SelinuxLabels selinux_labels(const SelinuxContexts& contexts, const std::vector<std::string>& options,
                             const std::string& container_id) {
    if (options.empty() || std::find(options.begin(), options.end(), "disable") != options.end()) return {};
    const std::string level = level_of(container_id);
    Parts process = parts_of(with_level(contexts.process, level)), mount = parts_of(with_level(contexts.file, level));
    for (const std::string& option : options) {
        const auto colon = option.find(':');
        const std::string key = option.substr(0, colon);
        const auto part = std::find(kParts.begin(), kParts.end(), key);
        if (colon == std::string::npos || colon + 1 == option.size() || (part == kParts.end() && key != "filetype"))
            throw make_error(ErrorKind::invalid, "{} is no label", quote(option))
                .with_hint("label=disable, or user, role, type, level or filetype with a colon and a value");
        const std::string value = option.substr(colon + 1);
        if (key == "filetype") {
            mount[2] = value;
            continue;
        }
        const auto at = static_cast<std::size_t>(part - kParts.begin());
        process[at] = value;
        if (key == "user" || key == "level") mount[at] = value;
    }
    return {text_of(process), text_of(mount)};
}

std::string shared_file_label(const SelinuxContexts& contexts) {
    return with_level(contexts.file, "s0");
}

std::string private_file_label(const SelinuxContexts& contexts, const std::string& container_id) {
    return with_level(contexts.file, level_of(container_id));
}

void check_relabel(const std::string& path) {
    static constexpr std::string_view kKept[] = {"/",        "/bin",        "/boot", "/dev", "/etc",     "/etc/passwd",
                                                 "/etc/pki", "/etc/shadow", "/home", "/lib", "/lib64",   "/media",
                                                 "/opt",     "/proc",       "/root", "/run", "/sbin",    "/srv",
                                                 "/sys",     "/tmp",        "/usr",  "/var", "/var/lib", "/var/log"};
    const std::string real = sys::real_path(path);
    const bool kept = std::find(std::begin(kKept), std::end(kKept), real) != std::end(kKept);
    // A user's whole home is as bad: /home/NAME.
    const bool home = real.starts_with("/home/") && real.find('/', 6) == std::string::npos;
    if (!kept && !home) return;
    throw make_error(ErrorKind::invalid, "SELinux relabeling of {} is not allowed", real)
        .with_hint("mount a folder below it, or leave z and Z out");
}

void relabel(const std::string& path, const std::string& label) {
    check_relabel(path);
    const std::string real = sys::real_path(path);
    const auto slash = real.rfind('/');
    const sys::Fd parent = sys::open_directory(real.substr(0, std::max<std::size_t>(slash, 1)));
    const std::string name = real.substr(slash + 1);
    in_context([&] { return "relabel " + path; },
               [&] {
                   label_entry(parent, name, label);
                   if (const auto folder = sys::open_directory_at(parent, name)) label_below(*folder, label, 0);
               });
}

}  // namespace compose::engine
