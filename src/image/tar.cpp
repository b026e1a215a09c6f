#include "image/tar.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "image/tar_numbers.hpp"

namespace compose::image {

namespace {

constexpr int kMaxExtensionsInARow = 16;

std::string_view field(const char* block, std::size_t offset, std::size_t size) {
    const std::string_view text(block + offset, size);
    return text.substr(0, text.find('\0'));
}

bool checksum_matches(const char* block) {
    const auto wanted = tar_number(block, 148, 8);
    std::int64_t plain = 0, with_sign = 0;
    for (std::size_t i = 0; i < kTarBlock; ++i) {
        const char c = i >= 148 && i < 156 ? ' ' : block[i];
        plain += static_cast<unsigned char>(c);
        with_sign += static_cast<signed char>(c);
    }
    // Old writers summed signed characters.
    return wanted && (*wanted == plain || *wanted == with_sign);
}

bool is_zero(const char* block) {
    return std::all_of(block, block + kTarBlock, [](char c) { return c == '\0'; });
}

TarType type_of(char raw) {
    switch (raw) {
        case '\0':
        case '0':
        case '7':
        case 'S':
            return TarType::regular;
        case '1':
            return TarType::hard_link;
        case '2':
            return TarType::symlink;
        case '3':
            return TarType::character;
        case '4':
            return TarType::block;
        case '5':
            return TarType::directory;
        case '6':
            return TarType::fifo;
        default:
            return TarType::unknown;
    }
}

}  // namespace

void TarReader::fail(const std::string& why) const {
    if (current_.empty()) throw Error("the archive is damaged: " + why, ErrorKind::invalid);
    throw make_error(ErrorKind::invalid, "entry {}: {}", quote(std::string_view(current_).substr(0, 300)), why);
}

void TarReader::read_exactly(char* out, std::size_t size) {
    while (size > 0) {
        const auto bytes = source_.peek();
        if (bytes.empty() && entries_ == 0) throw Error("this is not a tar archive", ErrorKind::invalid);
        if (bytes.empty()) fail("it ends too early");
        const auto n = std::min(bytes.size(), size);
        std::memcpy(out, bytes.data(), n);
        source_.consume(n);
        out += n;
        size -= n;
    }
}

/// False at the end of the stream.
bool TarReader::read_block(char* block) {
    if (source_.peek().empty()) return false;
    read_exactly(block, kTarBlock);
    return true;
}

void TarReader::skip(std::int64_t size) {
    while (size > 0) {
        const auto bytes = source_.peek();
        if (bytes.empty()) fail("it ends too early");
        const auto n = std::min<std::int64_t>(static_cast<std::int64_t>(bytes.size()), size);
        source_.consume(static_cast<std::size_t>(n));
        size -= n;
    }
}

void TarReader::drain() {
    for (auto bytes = source_.peek(); !bytes.empty(); bytes = source_.peek()) source_.consume(bytes.size());
}

/// False at the end of the archive.
bool TarReader::read_header(char* block) {
    if (!read_block(block)) {
        if (entries_ == 0) throw Error("the archive is empty", ErrorKind::invalid);
        return false;
    }
    if (is_zero(block)) {
        if (read_block(block) && !is_zero(block)) fail("a header is missing");
        return false;
    }
    if (!checksum_matches(block)) {
        if (entries_ == 0) throw Error("this is not a tar archive", ErrorKind::invalid);
        fail("the header after it has a wrong checksum");
    }
    return true;
}

std::string TarReader::read_extension(std::int64_t size) {
    if (size < 0 || static_cast<std::uint64_t>(size) > kMaxExtension)
        fail(fmt::format("an extended header of {} bytes is too long", size));
    std::string text(static_cast<std::size_t>(size), '\0');
    read_exactly(text.data(), text.size());
    skip(round_up_to_block(size) - size);
    return text;
}

bool TarReader::next(TarEntry& entry) {
    if (ended_) return false;
    skip(data_left_);
    // Some writers (umoci insert) stop after the last byte of the last file: only its data is needed.
    if (padding_ > 0 && !source_.peek().empty()) skip(padding_);
    data_left_ = padding_ = 0;
    Extensions extensions;
    char block[kTarBlock];
    for (int row = 0;; ++row) {
        if (!read_header(block)) {
            if (extensions.any) fail("an extended header is followed by nothing");
            ended_ = true;
            drain();
            return false;
        }
        const char type = block[156];
        if (type != 'x' && type != 'g' && type != 'L' && type != 'K') break;
        if (row >= kMaxExtensionsInARow) fail("too many extended headers in a row");
        if (++entries_ > max_entries_) fail("the archive has too many entries");
        const auto size = tar_number(block, 124, 12);
        const auto text = read_extension(size.value_or(-1));
        // A global header ('g') carries comments of archivers such as git; as Docker does, it is not applied.
        if (type == 'g') continue;
        extensions.any = true;
        if (type == 'L') extensions.long_name = text.substr(0, text.find('\0'));
        if (type == 'K') extensions.long_link = text.substr(0, text.find('\0'));
        if (type == 'x') parse_pax(text, extensions);
    }
    if (++entries_ > max_entries_) fail("the archive has too many entries");
    entry = TarEntry{};
    fill_from_header(block, entry);
    apply(extensions, entry);
    if (entry.raw_type == 'S') read_old_sparse(block, entry);
    if (entry.type == TarType::regular && extensions.pax.contains("GNU.sparse.major")) read_map_in_data(entry);
    if (entry.sparse) check_extents(entry);
    return true;
}

void TarReader::parse_pax(std::string_view text, Extensions& extensions) {
    std::int64_t offset = -1;
    while (!text.empty()) {
        // "25 mtime=1345497444.1234\n": the length counts itself.
        const auto space = text.find(' ');
        const auto length = space == std::string_view::npos ? std::nullopt : tar_decimal(text.substr(0, space));
        if (!length || *length < 0 || static_cast<std::size_t>(*length) > text.size() ||
            static_cast<std::size_t>(*length) < space + 3 || text[static_cast<std::size_t>(*length) - 1] != '\n')
            fail("a pax record is malformed");
        const auto record = text.substr(space + 1, static_cast<std::size_t>(*length) - space - 2);
        text.remove_prefix(static_cast<std::size_t>(*length));
        const auto equals = record.find('=');
        if (equals == std::string_view::npos || equals == 0) fail("a pax record is malformed");
        const auto key = record.substr(0, equals);
        const auto value = record.substr(equals + 1);
        if (key == "GNU.sparse.offset") {
            offset = tar_decimal(value).value_or(-1);
            if (offset < 0) fail("a sparse map is malformed");
        } else if (key == "GNU.sparse.numbytes") {
            const auto size = tar_decimal(value);
            if (offset < 0 || !size || extensions.old_map.size() >= kMaxTarExtents) fail("a sparse map is malformed");
            extensions.old_map.push_back({offset, *size});
            offset = -1;
        } else {
            extensions.pax.insert_or_assign(std::string(key), std::string(value));
        }
    }
}

void TarReader::fill_from_header(const char* block, TarEntry& entry) {
    const std::string_view magic(block + 257, 8);
    entry.raw_type = block[156];
    entry.type = type_of(entry.raw_type);
    entry.name = field(block, 0, 100);
    entry.link = field(block, 157, 100);
    using namespace std::string_view_literals;
    if (magic.substr(0, 6) == "ustar\0"sv) {
        const bool star = std::string_view(block + 508, 4) == "tar\0"sv;
        const auto prefix = field(block, 345, star ? 131 : 155);
        if (!prefix.empty()) entry.name = std::string(prefix) + "/" + entry.name;
    }
    current_ = entry.name;
    const auto take = [&](std::size_t offset, std::size_t size, const char* what) {
        const auto value = tar_number(block, offset, size);
        if (!value) fail(fmt::format("its {} is no number", what));
        return *value;
    };
    entry.mode = static_cast<std::uint32_t>(take(100, 8, "mode")) & 07777U;
    const auto owner = take(108, 8, "owner"), group = take(116, 8, "group");
    stored_ = take(124, 12, "size");
    entry.mtime_s = take(136, 12, "time");
    constexpr std::int64_t kMaxId = 0xfffffffe;  // -1 means "do not change" to chown
    if (owner < 0 || owner > kMaxId || group < 0 || group > kMaxId) fail("its owner is out of range");
    entry.owner = static_cast<std::uint32_t>(owner);
    entry.group = static_cast<std::uint32_t>(group);
    if (entry.type == TarType::character || entry.type == TarType::block) {
        entry.major = static_cast<std::uint32_t>(take(329, 8, "device number"));
        entry.minor = static_cast<std::uint32_t>(take(337, 8, "device number"));
    }
}

void TarReader::check_name(const std::string& name, const char* what) const {
    if (name.size() > kMaxName) fail(fmt::format("its {} is longer than {} bytes", what, kMaxName));
    if (name.find('\0') != std::string::npos) fail(fmt::format("its {} contains a NUL", what));
}

void TarReader::apply(const Extensions& extensions, TarEntry& entry) {
    const auto& pax = extensions.pax;
    const auto find = [&](std::string_view key) {
        const auto found = pax.find(key);
        return found == pax.end() ? nullptr : &found->second;
    };
    if (!extensions.long_name.empty()) entry.name = extensions.long_name;
    if (!extensions.long_link.empty()) entry.link = extensions.long_link;
    if (const auto* path = find("path")) entry.name = *path;
    if (const auto* path = find("GNU.sparse.name")) entry.name = *path;
    if (const auto* link = find("linkpath")) entry.link = *link;
    current_ = entry.name;
    check_name(entry.name, "name");
    check_name(entry.link, "link target");
    const auto take = [&](std::string_view key, auto& out, std::int64_t max) {
        const auto* text = find(key);
        if (text == nullptr || text->empty()) return;
        const auto value = tar_decimal(*text);
        if (!value || *value < 0 || *value > max) fail(fmt::format("its {} is out of range", key));
        out = static_cast<std::remove_reference_t<decltype(out)>>(*value);
    };
    take("size", stored_, kMaxTarSize);
    take("uid", entry.owner, 0xfffffffe);
    take("gid", entry.group, 0xfffffffe);
    if (const auto* text = find("mtime"); text != nullptr && !text->empty()) {
        const auto dot = std::min(text->find('.'), text->size());
        const auto seconds = tar_decimal(std::string_view(*text).substr(0, dot));
        if (!seconds) fail("its time is no number");
        auto digits = text->substr(std::min(dot + 1, text->size()), 9);
        digits.resize(9, '0');
        const auto nanoseconds = tar_decimal(digits);
        if (!nanoseconds || *nanoseconds < 0) fail("its time is no number");
        entry.mtime_s = *seconds;
        entry.mtime_ns = *nanoseconds;
        if (text->starts_with('-') && entry.mtime_ns > 0) {  // -1.25 lies 0.75 s after -2
            --entry.mtime_s;
            entry.mtime_ns = 1'000'000'000 - entry.mtime_ns;
        }
    }
    constexpr std::string_view kXattr = "SCHILY.xattr.";
    for (auto it = pax.lower_bound(kXattr); it != pax.end() && it->first.starts_with(kXattr); ++it)
        if (it->first.size() > kXattr.size()) entry.xattrs.emplace(it->first.substr(kXattr.size()), it->second);

    if (stored_ < 0 || stored_ > kMaxTarSize) fail("its size is out of range");
    // v7 archives have no type for directories; a link's size says nothing about data, except in some old writers' hard
    // links, which have none either in practice.
    if (entry.raw_type == '\0' && entry.name.ends_with('/')) entry.type = TarType::directory;
    if (entry.type != TarType::regular && entry.type != TarType::unknown) stored_ = 0;
    data_left_ = stored_;
    padding_ = round_up_to_block(stored_) - stored_;
    entry.size = entry.type == TarType::regular ? stored_ : 0;
    if (entry.type == TarType::regular) apply_sparse(extensions, entry);
    if (entry.type == TarType::unknown) {  // nobody can say what its bytes are
        skip(data_left_);
        data_left_ = 0;
    }
}

std::string_view TarReader::data() {
    if (data_left_ == 0) return {};
    const auto bytes = source_.peek();
    if (bytes.empty()) fail("it ends too early");
    return bytes.substr(0,
                        static_cast<std::size_t>(std::min<std::int64_t>(data_left_, std::numeric_limits<int>::max())));
}

void TarReader::consume(std::size_t size) {
    source_.consume(size);
    data_left_ -= static_cast<std::int64_t>(size);
}

}  // namespace compose::image
