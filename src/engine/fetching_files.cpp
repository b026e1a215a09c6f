// The files of this machine and those that are fetched to it.
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

class FetchingFiles : public FileSource {
public:
    explicit FetchingFiles(std::map<std::string, std::string> environment) : remote_(std::move(environment)) {}

    std::optional<std::string> read(const std::string& path) override {
        const auto copied = in_copy(path);
        if (!copied) return local_->read(path);
        if (const auto file = sys::find_regular_file_in_root(copied->root, copied->path))
            return sys::read_all(*file, kLimit);
        if (sys::is_directory(path)) throw make_error(ErrorKind::invalid, "{} is a directory", path);
        if (sys::exists_no_follow(path))
            throw Error("it is a link that leads out of what was fetched, or no regular file", ErrorKind::invalid);
        return std::nullopt;
    }
    bool is_file(const std::string& path) override {
        const auto copied = in_copy(path);
        if (!copied) return local_->is_file(path);
        return sys::find_regular_file_in_root(copied->root, copied->path).has_value();
    }
    bool is_directory(const std::string& path) override {
        const auto copied = in_copy(path);
        if (!copied) return local_->is_directory(path);
        return sys::find_directory_in_root(copied->root, copied->path, sys::Missing::anything_else).has_value();
    }
    std::string read_stdin() override { return local_->read_stdin(); }
    RemoteCopy fetch(const std::string& address, const std::string& named_in) override {
        return remote_.fetch(address, named_in);
    }

private:
    [[nodiscard]] std::optional<CopiedFile> in_copy(const std::string& path) const {
        const auto root = remote_.root_of(path);
        if (!root) return std::nullopt;
        return CopiedFile{sys::open_directory(*root), path == *root ? "." : path.substr(root->size() + 1)};
    }

    std::unique_ptr<FileSource> local_ = make_local_files();
    engine::RemoteFiles remote_;
};

}  // namespace

std::unique_ptr<FileSource> make_fetching_files(std::map<std::string, std::string> environment) {
    return std::make_unique<FetchingFiles>(std::move(environment));
}

}  // namespace compose
