#include <compose/local_files.hpp>

#include "base/error.hpp"
#include "engine/remote_files.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"

namespace compose {
namespace {

constexpr std::size_t kLimit = std::size_t{16} << 20U;

/// A file of what was fetched: links are followed inside of it only.
struct CopiedFile {
    sys::Fd root;
    std::string path;  // relative
};

class LocalFiles : public FileSource {
public:
    explicit LocalFiles(std::map<std::string, std::string> environment) : remote_(std::move(environment)) {}

    std::optional<std::string> read(const std::string& absolute_path) override {
        if (const auto copied = in_copy(absolute_path)) return read(*copied, absolute_path);
        if (!sys::exists(absolute_path)) return std::nullopt;
        if (sys::is_directory(absolute_path)) throw make_error(ErrorKind::invalid, "{} is a directory", absolute_path);
        return sys::read_file(absolute_path, kLimit);
    }
    bool is_file(const std::string& absolute_path) override {
        if (const auto copied = in_copy(absolute_path))
            return sys::find_regular_file_in_root(copied->root, copied->path).has_value();
        return sys::exists(absolute_path) && !sys::is_directory(absolute_path);
    }
    bool is_directory(const std::string& absolute_path) override {
        if (const auto copied = in_copy(absolute_path))
            return sys::find_directory_in_root(copied->root, copied->path, sys::Missing::anything_else).has_value();
        return sys::is_directory(absolute_path);
    }
    std::string read_stdin() override { return sys::read_all(sys::FdRef(0), kLimit); }
    RemoteCopy fetch(const std::string& address, const std::string& named_in) override {
        return remote_.fetch(address, named_in);
    }

private:
    [[nodiscard]] std::optional<CopiedFile> in_copy(const std::string& path) const {
        const auto root = remote_.root_of(path);
        if (!root) return std::nullopt;
        return CopiedFile{sys::open_directory(*root), path == *root ? "." : path.substr(root->size() + 1)};
    }
    static std::optional<std::string> read(const CopiedFile& copied, const std::string& shown) {
        const auto file = sys::find_regular_file_in_root(copied.root, copied.path);
        if (file) return sys::read_all(*file, kLimit);
        if (sys::is_directory(shown)) throw make_error(ErrorKind::invalid, "{} is a directory", shown);
        if (sys::exists_no_follow(shown))
            throw Error("it is a link that leads out of what was fetched, or no regular file", ErrorKind::invalid);
        return std::nullopt;
    }

    engine::RemoteFiles remote_;
};

}  // namespace

std::unique_ptr<FileSource> make_local_files(std::map<std::string, std::string> environment) {
    return std::make_unique<LocalFiles>(std::move(environment));
}

}  // namespace compose
