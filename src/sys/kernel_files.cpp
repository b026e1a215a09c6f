#include "sys/kernel_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/strings.hpp"
#include "sys/error.hpp"
#include "sys/fd.hpp"

namespace compose::sys {
namespace {

bool write_once(const Fd& fd, std::string_view value) {
    return ::write(fd.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

Fd open_to_write(const std::string& path) {
    return Fd(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
}

std::optional<std::uint64_t> number_in(std::string_view text) {
    const std::string_view digits = trim(text);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return value;
}

template <class Visit>
void visit_directory(const std::string& path, Visit visit) {
    DIR* stream = ::opendir(path.c_str());
    if (stream == nullptr) return;
    while (const dirent* entry = ::readdir(stream)) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") visit(name, entry->d_type == DT_DIR);
    }
    ::closedir(stream);
}

}  // namespace

Fd open_kernel_file_for_writing(const std::string& path) {
    Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd) throw errno_error("open {}", path);
    return fd;
}

void write_kernel_file(const std::string& path, std::string_view value) {
    const Fd fd = open_to_write(path);
    if (!fd || !write_once(fd, value)) throw errno_error("write {} to {}", value, path);
}

void write_kernel_file(const std::string& path, const std::vector<std::string>& values) {
    const Fd fd = open_to_write(path);
    if (!fd) throw errno_error("open {}", path);
    for (const auto& value : values)
        if (!write_once(fd, value)) throw errno_error("write {} to {}", value, path);
}

bool try_write_kernel_file(const std::string& path, std::string_view value) {
    const Fd fd = open_to_write(path);
    return fd && write_once(fd, value);
}

std::string read_kernel_file(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return {};
    std::string text;
    char buffer[4096];
    for (;;) {
        const auto n = ::read(fd.get(), buffer, sizeof buffer);
        if (n <= 0) return text;
        text.append(buffer, static_cast<std::size_t>(n));
    }
}

std::optional<std::uint64_t> read_kernel_number(const std::string& path) {
    return number_in(read_kernel_file(path));
}

std::optional<std::uint64_t> read_kernel_field(const std::string& path, std::string_view key) {
    for (const auto& line : split(read_kernel_file(path), '\n'))
        if (line.size() > key.size() && line[key.size()] == ' ' && line.starts_with(key)) {
            const auto value = trim(std::string_view(line).substr(key.size()));
            return number_in(value.substr(0, value.find(' ')));  // a unit may follow
        }
    return std::nullopt;
}

bool make_kernel_directory(const std::string& path) {
    if (::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return true;
    if (errno == ENOENT) return false;
    throw errno_error("create {}", path);
}

bool remove_kernel_directory(const std::string& path) {
    return ::rmdir(path.c_str()) == 0 || errno == ENOENT;
}

std::vector<std::string> kernel_directories(const std::string& path) {
    std::vector<std::string> result;
    visit_directory(path, [&](std::string_view name, bool directory) {
        if (directory) result.push_back(fmt::format("{}/{}", path, name));
    });
    return result;
}

std::vector<std::string> kernel_names(const std::string& path) {
    std::vector<std::string> result;
    visit_directory(path, [&](std::string_view name, bool) { result.emplace_back(name); });
    std::sort(result.begin(), result.end());
    return result;
}

std::optional<std::string> link_text(const std::string& path) {
    char text[4096];
    const auto n = ::readlink(path.c_str(), text, sizeof text);
    if (n < 0 || static_cast<std::size_t>(n) == sizeof text) return std::nullopt;
    return std::string(text, static_cast<std::size_t>(n));
}

}  // namespace compose::sys
