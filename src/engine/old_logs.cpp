#include "engine/old_logs.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "sys/file.hpp"
#include "sys/poll.hpp"
#include "sys/spool.hpp"

namespace compose::engine {
namespace {

constexpr std::uint64_t kMost = std::uint64_t{16} << 20U;  // then the older half goes
constexpr int kRotated = 2;

std::string aside(const store::Layout& layout, const std::string& name) {
    return layout.state + "/containers/.logs-" + name;
}

void append_file(const std::string& from, const std::string& to) {
    const auto source = sys::open_to_read(from);
    if (!source) return;
    const auto target = sys::open_to_append(to);
    std::string piece(std::size_t{256} << 10U, '\0');
    for (std::uint64_t at = 0;;) {
        const auto n = sys::read_at(*source, piece, at);
        if (n == 0) return;
        sys::write_all(target, {piece.data(), n});
        at += n;
    }
}

}  // namespace

std::string previous_log(const std::string& log_path) {
    return log_path.substr(0, log_path.rfind('/') + 1) + "previous.log";
}

void set_logs_aside(const store::Layout& layout, const std::string& id, const std::string& name) {
    try {
        const auto log = layout.container_log(id);
        const auto previous = previous_log(log);
        const auto place = aside(layout, name);
        sys::remove_file(place);
        // The usual case is one rename.
        if (!sys::exists(previous) && !sys::exists(log + ".1")) return sys::rename_file(log, place);
        sys::rename_file(previous, place);
        for (int age = kRotated; age > 0; --age) append_file(log + "." + std::to_string(age), place);
        append_file(log, place);
        const auto all = sys::open_to_read(place);
        if (!all || sys::facts_of(*all).size <= kMost) return;
        const auto text = sys::read_file(place, kMost * 8);
        const auto cut = text.find('\n', text.size() - kMost / 2);
        if (cut != std::string::npos) sys::replace_file(place, std::string_view(text).substr(cut + 1), 0600);
    } catch (const Error& error) {  // a log is no reason for a replacement to fail
        log::debug("keep the log of {}: {}", name, error.what());
    }
}

void take_logs_over(const store::Layout& layout, const std::string& name, const std::string& id) {
    try {
        sys::rename_file(aside(layout, name), previous_log(layout.container_log(id)));
    } catch (const Error& error) {
        log::debug("take the log of {} over: {}", name, error.what());
    }
}

}  // namespace compose::engine
