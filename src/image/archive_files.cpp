// The two kinds of ArchiveFiles.
#include <map>
#include <vector>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "image/archive_read.hpp"
#include "image/decompress.hpp"
#include "image/tar.hpp"
#include "sys/clock.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/poll.hpp"
#include "sys/spool.hpp"
#include "sys/tree.hpp"

namespace compose::image {

namespace {

constexpr std::size_t kBuffer = std::size_t{256} << 10U;
constexpr int kMaxLinks = 8;
constexpr std::size_t kMaxFiles = 100'000;

/// Bytes of a descriptor, counted; what was read can be kept in a file.
class CountingSource final : public ByteSource {
public:
    CountingSource(ByteSource& below, sys::FdRef keep, const Interrupt& interrupt)
        : below_(below), keep_(keep), interrupt_(interrupt) {}
    std::string_view peek() override { return below_.peek(); }
    void consume(std::size_t size) override {
        interrupt_.check();
        if (keep_) sys::write_all(keep_, below_.peek().substr(0, size));
        below_.consume(size);
        position_ += static_cast<std::int64_t>(size);
    }
    [[nodiscard]] std::int64_t position() const { return position_; }

private:
    ByteSource& below_;
    sys::FdRef keep_;
    const Interrupt& interrupt_;
    std::int64_t position_ = 0;
};

class FileSource final : public ByteSource {
public:
    FileSource(sys::FdRef fd, const Interrupt& interrupt) : fd_(fd), interrupt_(interrupt), buffer_(kBuffer) {}
    std::string_view peek() override {
        while (taken_ == filled_ && !ended_) {
            const auto size = sys::read_some(fd_, buffer_);
            if (!size) {
                (void)interrupt_.wait_readable(fd_, std::chrono::seconds(1));
                continue;
            }
            taken_ = 0;
            filled_ = *size;
            ended_ = *size == 0;
        }
        return {buffer_.data() + taken_, filled_ - taken_};
    }
    void consume(std::size_t size) override { taken_ += size; }

private:
    sys::FdRef fd_;
    const Interrupt& interrupt_;
    std::vector<char> buffer_;
    std::size_t taken_ = 0, filled_ = 0;
    bool ended_ = false;
};

/// "./a//b" -> "a/b"; empty for names that climb out.
std::string clean(std::string_view name) {
    std::vector<std::string> parts;
    for (auto& part : split(name, '/')) {
        if (part.empty() || part == ".") continue;
        if (part == "..") {
            if (parts.empty()) return {};
            parts.pop_back();
            continue;
        }
        parts.push_back(std::move(part));
    }
    return join(parts, "/");
}

class TarFiles final : public ArchiveFiles {
public:
    TarFiles(sys::FdRef tar, const std::string& spool_folder, const Interrupt& interrupt) {
        FileSource file(tar, interrupt);
        const bool plain = detect_compression(file.peek()) == Compression::none;
        const auto start = plain ? sys::regular_file_position(tar) : std::nullopt;
        const auto source = decompress(file);
        if (start) {
            file_ = sys::duplicate(tar);
            // peek() above has read from it already: positions count from where the descriptor stood before.
            base_ = *start - static_cast<std::int64_t>(file.peek().size());
        } else {
            const auto path = spool_folder + "/tmp-" + sys::random_id().substr(0, 16);
            file_ = sys::open_to_append(path);
            sys::remove_file(path);
        }
        CountingSource counted(*source, start ? sys::FdRef() : sys::FdRef(file_), interrupt);
        read(counted);
    }

    std::optional<ArchiveRegion> find(const std::string& name) override {
        auto at = clean(name);
        for (int i = 0; i < kMaxLinks; ++i) {
            if (const auto link = links_.find(at); link != links_.end()) {
                at = link->second;
                continue;
            }
            const auto found = files_.find(at);
            if (found == files_.end()) return std::nullopt;
            return ArchiveRegion{file_.duplicate(), base_ + found->second.first, found->second.second};
        }
        return std::nullopt;
    }

private:
    void read(CountingSource& source) {
        TarReader reader(source);
        TarEntry entry;
        while (reader.next(entry)) {
            const auto name = clean(entry.name);
            if (name.empty()) continue;
            if (files_.size() + links_.size() >= kMaxFiles)
                throw make_error(ErrorKind::invalid, "the archive has more than {} files", kMaxFiles);
            if (entry.type == TarType::regular && !entry.sparse) {
                files_[name] = {source.position(), entry.size};
                links_.erase(name);
            } else if (entry.type == TarType::symlink) {
                const auto folder = name.substr(0, name.rfind('/') == std::string::npos ? 0 : name.rfind('/') + 1);
                links_[name] = clean(folder + entry.link);
            } else if (entry.type == TarType::hard_link) {
                links_[name] = clean(entry.link);
            }
        }
    }

    sys::Fd file_;
    std::int64_t base_ = 0;
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> files_;  // offset, size
    std::map<std::string, std::string> links_;
};

class FolderFiles final : public ArchiveFiles {
public:
    explicit FolderFiles(const std::string& folder) : folder_(sys::open_directory(folder)) {}
    std::optional<ArchiveRegion> find(const std::string& name) override {
        auto file = sys::find_regular_file_in_root(folder_, name);
        if (!file) return std::nullopt;
        const auto size = static_cast<std::int64_t>(sys::facts_of(*file).size);
        return ArchiveRegion{std::move(*file), 0, size};
    }

private:
    sys::Fd folder_;
};

}  // namespace

std::unique_ptr<ArchiveFiles> open_tar_archive(sys::FdRef tar, const std::string& spool_folder,
                                               const Interrupt& interrupt) {
    return in_context([] { return "archive"; },
                      [&] { return std::make_unique<TarFiles>(tar, spool_folder, interrupt); });
}

std::unique_ptr<ArchiveFiles> open_folder_archive(const std::string& folder) {
    return std::make_unique<FolderFiles>(folder);
}

}  // namespace compose::image
