#include "engine/old_logs.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "supervisor/log_file.hpp"
#include "sys/file.hpp"
#include "sys/spool.hpp"

namespace compose::engine {
namespace {

constexpr std::uint64_t kMost = std::uint64_t{16} << 20U;  // then the older half goes

std::string aside(const store::Layout& layout, const std::string& name) {
    return layout.state + "/containers/.logs-" + name;
}

void append_file(const std::string& path, int age, sys::FdRef target) {
    auto source = supervisor::LogFile::open(path, age);
    if (!source) return;
    std::string piece(std::size_t{256} << 10U, '\0');
    for (std::uint64_t at = 0;;) {
        const auto n = source->read_at(piece, at);
        if (n == 0) return;
        sys::write_all(target, {piece.data(), n});
        at += n;
    }
}

void cut_older_half(const std::string& path, sys::FdRef file) {
    const auto size = sys::facts_of(file).size;
    if (size <= kMost) return;
    std::string text(kMost / 2, '\0');
    text.resize(sys::read_at(file, text, size - text.size()));
    const auto cut = text.find('\n');
    if (cut != std::string::npos) sys::replace_file(path, std::string_view(text).substr(cut + 1), 0600);
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
        const int count = supervisor::count_log_files(log);
        if (!sys::exists(previous) && count <= 1) return sys::rename_file(log, place);
        sys::rename_file(previous, place);
        const auto all = sys::open_to_append(place);
        for (int age = count - 1; age >= 0; --age) append_file(log, age, all);
        cut_older_half(place, all);
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
