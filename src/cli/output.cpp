#include "cli/output.hpp"

#include <cerrno>

#include <fmt/format.h>

#include "base/error.hpp"
#include "sys/file.hpp"

namespace compose::cli {

void print(std::string_view text) {
    try {
        sys::write_all(sys::FdRef(1), text);
    } catch (const Error& error) {
        if (error.code() == EPIPE) throw OutputClosed{};
        throw;
    }
}

void print_error(std::string_view text) noexcept {
    print_progress(false, text);
}

void print_progress(bool to_stdout, std::string_view text) noexcept {
    try {
        sys::write_all(sys::FdRef(to_stdout ? 1 : 2), text);
    } catch (...) {  // a terminal that is gone, a full disk
    }
}

std::string labelled(std::string_view label, std::string_view message, std::string_view hint, bool color) {
    const char* start = !color ? "" : label == "error" ? "\033[1;31m" : "\033[1;33m";
    std::string out = fmt::format("{}{}:{} {}\n", start, label, color ? "\033[0m" : "", message);
    if (!hint.empty()) out += fmt::format("{}  {}\n", std::string(label.size(), ' '), hint);
    return out;
}

}  // namespace compose::cli
