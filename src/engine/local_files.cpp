#include <compose/local_files.hpp>

#include "base/error.hpp"
#include "sys/file.hpp"

namespace compose {
namespace {

constexpr std::size_t kLimit = std::size_t{16} << 20U;

class LocalFiles : public FileSource {
public:
    std::optional<std::string> read(const std::string& absolute_path) override {
        if (!sys::exists(absolute_path)) return std::nullopt;
        if (sys::is_directory(absolute_path)) throw make_error(ErrorKind::invalid, "{} is a directory", absolute_path);
        return sys::read_file(absolute_path, kLimit);
    }
    bool is_file(const std::string& absolute_path) override {
        return sys::exists(absolute_path) && !sys::is_directory(absolute_path);
    }
    bool is_directory(const std::string& absolute_path) override { return sys::is_directory(absolute_path); }
    std::string read_stdin() override { return sys::read_all(sys::FdRef(0), kLimit); }
};

}  // namespace

std::unique_ptr<FileSource> make_local_files() {
    return std::make_unique<LocalFiles>();
}

}  // namespace compose
