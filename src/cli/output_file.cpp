#include "cli/output_file.hpp"

#include "sys/file.hpp"

namespace compose::cli {

void write_output_file(const std::string& path, unsigned mode, const std::function<void(sys::FdRef)>& write) {
    const bool exists = sys::exists(path);
    if (exists && !sys::is_regular_file(path)) return write(sys::create_file(path, mode));
    const std::string target = exists ? sys::real_path(path) : path;
    const std::string partial = target + ".part";
    try {
        write(sys::create_file(partial, mode));
        sys::rename_over(partial, target);
    } catch (...) {
        sys::remove_file(partial);
        throw;
    }
}

}  // namespace compose::cli
