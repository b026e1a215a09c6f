// Reading tar streams: v7, ustar, pax, GNU long names and sparse files, star's prefix. Only the format: paths are
// checked for what cannot be a path, not for where they lead.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "image/byte_source.hpp"

namespace compose::image {

enum class TarType { regular, hard_link, symlink, character, block, directory, fifo, unknown };

struct TarEntry {
    TarType type = TarType::regular;
    char raw_type = '0';
    std::string name;
    std::string link;
    std::uint32_t mode = 0;  // 07777
    std::uint32_t owner = 0;
    std::uint32_t group = 0;
    std::int64_t size = 0;  // of the file, holes included
    std::int64_t mtime_s = 0;
    std::int64_t mtime_ns = 0;
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    std::map<std::string, std::string> xattrs;  // "security.capability" -> bytes

    struct Extent {
        std::int64_t offset = 0;
        std::int64_t size = 0;
    };
    bool sparse = false;
    std::vector<Extent> extents;  // where the data lies; the rest is holes
};

class TarReader {
public:
    static constexpr std::size_t kMaxName = 4095;
    static constexpr std::int64_t kMaxEntries = 10'000'000;
    static constexpr std::size_t kMaxExtension = std::size_t{1} << 20U;

    explicit TarReader(ByteSource& source, std::int64_t max_entries = kMaxEntries)
        : source_(source), max_entries_(max_entries) {}

    /// False at the end of the archive; what follows it is read and thrown away. Throws Error(invalid).
    bool next(TarEntry& entry);
    /// The next bytes of the entry's data: empty at its end.
    [[nodiscard]] std::string_view data();
    void consume(std::size_t size);

private:
    using Records = std::map<std::string, std::string, std::less<>>;
    struct Extensions {
        std::string long_name, long_link;
        Records pax;
        std::vector<TarEntry::Extent> old_map;  // GNU.sparse 0.0: pairs, in order
        bool any = false;
    };

    bool read_block(char* block);
    bool read_header(char* block);
    void read_exactly(char* out, std::size_t size);
    std::string read_extension(std::int64_t size);
    void skip(std::int64_t size);
    void drain();
    void parse_pax(std::string_view text, Extensions& extensions);
    void fill_from_header(const char* block, TarEntry& entry);
    void apply(const Extensions& extensions, TarEntry& entry);
    void apply_sparse(const Extensions& extensions, TarEntry& entry);
    void read_old_sparse(const char* block, TarEntry& entry);
    void read_map_in_data(TarEntry& entry);
    void check_extents(TarEntry& entry) const;
    void check_name(const std::string& name, const char* what) const;
    [[noreturn]] void fail(const std::string& why) const;

    ByteSource& source_;
    std::int64_t max_entries_;
    std::int64_t data_left_ = 0;
    std::int64_t padding_ = 0;
    std::int64_t stored_ = 0;  // data bytes that the archive has for the current entry
    std::int64_t entries_ = 0;
    std::string current_;  // for messages
    bool ended_ = false;
};

}  // namespace compose::image
