#include "runtime/failure_text.hpp"

#include <cerrno>

#include "base/strings.hpp"
#include "sys/error.hpp"

namespace compose::runtime {
namespace {

constexpr int kSetupFailed = 128;
constexpr int kNotFound = 127;
constexpr int kNotRunnable = 126;

LaunchFailure exec_failure(const Report& report, const LaunchPlan& plan, const ProcessSpec& process) {
    const std::string command = quote(process.args.front());
    const bool missing = report.error == ENOENT || report.error == ENOTDIR;
    if (missing && report.detail == Detail::interpreter_missing)
        return {fmt::format("exec: {}: the interpreter or loader that it names does not exist", command), kNotFound};
    if (missing && plan.looked_up)
        return {fmt::format("exec: {}: executable file not found in $PATH", command), kNotFound};
    return {fmt::format("exec: {}: {}", command, sys::errno_text(report.error)), missing ? kNotFound : kNotRunnable};
}

std::string user_part(const std::string& user, bool group) {
    const std::size_t colon = user.find(':');
    if (!group) return user.substr(0, colon);
    return colon == std::string::npos ? std::string() : user.substr(colon + 1);
}

std::string reason(const Report& report, const Op& op, const ProcessSpec& process) {
    switch (report.detail) {
        case Detail::not_a_real_directory:
            return fmt::format("/{} in the image is not a directory", op.target);
        case Detail::kernel_tree:
            return "the target leads into /proc or /sys, which belong to the kernel";
        case Detail::is_the_root:
            return "the target leads to the root of the container";
        case Detail::type_differs:
            return report.error == ENOTDIR ? "a directory can't be mounted on a file"
                                           : "a file can't be mounted on a directory";
        case Detail::changed_meanwhile:
            return "the target was changed while it was being mounted";
        case Detail::not_a_regular_file:
            return "/etc/passwd or /etc/group is not a regular file";
        case Detail::too_large:
            return "/etc/passwd or /etc/group is larger than 10 MiB";
        case Detail::no_user:
            return fmt::format("no user {} in the container's /etc/passwd", quote(user_part(process.user, false)));
        case Detail::no_group:
            return fmt::format("no group {} in the container's /etc/group", quote(user_part(process.user, true)));
        case Detail::no_additional_group: {
            const auto index = static_cast<std::size_t>(report.value);
            if (index >= process.additional_groups.size()) return "no such group";
            return fmt::format("no group {} in the container's /etc/group", quote(process.additional_groups[index]));
        }
        case Detail::too_many_groups:
            return "the user is in too many groups";
        case Detail::outside_root:
            return "the directory lies outside the container";
        case Detail::not_null:
            return "the container's /dev/null is something else";
        case Detail::not_a_terminal:
            return "the container's /dev/pts is no terminal file system";
        case Detail::no_profile:
            return "no such profile is loaded";
        case Detail::hook_failed:
            return fmt::format("it failed with status {}", report.value);
        case Detail::hook_slow:
            return "it was not ready in its time";
        case Detail::none:
        case Detail::interpreter_missing:
        case Detail::count:
            break;
    }
    return sys::errno_text(report.error);
}

}  // namespace

LaunchFailure failure_of(const Report& report, const LaunchPlan& plan, const ProcessSpec& process) {
    if (report.op >= plan.ops.size) return {"the launch failed in an unknown way", kSetupFailed};
    const Op& op = plan.ops[report.op];
    if (op.kind == OpKind::run && report.error != 0) return exec_failure(report, plan, process);
    return {fmt::format("{}: {}", op.what, reason(report, op, process)), kSetupFailed};
}

}  // namespace compose::runtime
