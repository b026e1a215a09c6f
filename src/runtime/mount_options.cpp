#include "runtime/mount_options.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "sys/mount.hpp"

namespace compose::runtime {
namespace {

using namespace sys::mount_attribute;

struct Flag {
    std::string_view name;
    std::uint64_t set;
    std::uint64_t cleared;
};
constexpr Flag kFlags[] = {
    {"ro", kReadOnly, 0},           {"rw", 0, kReadOnly},         {"nosuid", kNosuid, 0},
    {"suid", 0, kNosuid},           {"nodev", kNodev, 0},         {"dev", 0, kNodev},
    {"noexec", kNoexec, 0},         {"exec", 0, kNoexec},         {"noatime", kNoatime, 0},
    {"atime", 0, kNoatime},         {"relatime", 0, 0},           {"strictatime", kStrictatime, 0},
    {"nodiratime", kNodiratime, 0}, {"diratime", 0, kNodiratime}, {"defaults", 0, 0},
};
constexpr Flag kBindFlags[] = {
    {"nosuid", kNosuid, 0},
    {"suid", 0, kNosuid},
    {"nodev", kNodev, 0},
    {"dev", 0, kNodev},
    {"noexec", kNoexec, 0},
    {"exec", 0, kNoexec},
    {"noatime", kNoatime, kAtime},
    {"relatime", 0, kAtime},
    {"atime", 0, kAtime},
    {"strictatime", kStrictatime, kAtime},
    {"nodiratime", kNodiratime, 0},
    {"diratime", 0, kNodiratime},
    {"nosymfollow", kNosymfollow, 0},
    {"symfollow", 0, kNosymfollow},
    {"rw", 0, kReadOnly},
    {"ro", kReadOnly, 0},
};
constexpr std::string_view kValues[] = {"size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "huge", "mpol"};

}  // namespace

TmpfsOptions parse_tmpfs_options(const std::string& text) {
    TmpfsOptions result;
    result.attributes = kNosuid | kNodev | kNoexec;
    for (const auto& option : split(text, ',')) {
        if (option.empty()) continue;
        const std::size_t equals = option.find('=');
        const std::string_view key = std::string_view(option).substr(0, equals);
        if (equals == std::string::npos) {
            const auto* flag =
                std::find_if(std::begin(kFlags), std::end(kFlags), [&](auto& f) { return f.name == key; });
            if (flag == std::end(kFlags))
                throw make_error(ErrorKind::invalid, "unknown tmpfs option {}", quote(option));
            result.attributes = (result.attributes & ~flag->cleared) | flag->set;
            continue;
        }
        const std::string_view value = std::string_view(option).substr(equals + 1);
        if (std::find(std::begin(kValues), std::end(kValues), key) == std::end(kValues) || value.empty())
            throw make_error(ErrorKind::invalid, "unknown tmpfs option {}", quote(option));
        result.values.emplace_back(key, value);
    }
    return result;
}

BindOptions parse_bind_options(const std::string& text) {
    BindOptions result;
    for (const auto& option : split(text, ',')) {
        if (option.empty() || option == "defaults") continue;
        const auto find = [](std::string_view name) {
            return std::find_if(std::begin(kBindFlags), std::end(kBindFlags), [&](auto& f) { return f.name == name; });
        };
        const auto* flag = find(option);
        const bool all = flag == std::end(kBindFlags) && option.starts_with('r');
        if (all) flag = find(std::string_view(option).substr(1));
        if (flag == std::end(kBindFlags))
            throw make_error(ErrorKind::invalid, "unknown option {} of a bind mount", quote(option));
        auto& to = all ? result.all : result.own;
        to.set = (to.set & ~flag->cleared) | flag->set;
        // The kernel wants the old kind of access times to be taken away along with setting a new one.
        to.cleared = (to.cleared & ~flag->set) | flag->cleared;
    }
    return result;
}

}  // namespace compose::runtime
