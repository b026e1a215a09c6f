#include "image/tar_writer.hpp"

#include <array>
#include <cstring>

#include "base/error.hpp"
#include "base/strings.hpp"

namespace compose::image {

namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kNameField = 100;
constexpr std::size_t kPrefixField = 155;
constexpr std::int64_t kMaxOctal11 = 077777777777;
constexpr std::uint32_t kMaxOctal7 = 07777777;

using Block = std::array<char, kBlock>;

char type_flag(TarType type) {
    switch (type) {
        case TarType::regular:
            return '0';
        case TarType::hard_link:
            return '1';
        case TarType::symlink:
            return '2';
        case TarType::character:
            return '3';
        case TarType::block:
            return '4';
        case TarType::directory:
            return '5';
        case TarType::fifo:
            return '6';
        case TarType::unknown:
            break;
    }
    throw Error("an entry of unknown type can't be written", ErrorKind::invalid);
}

void put_text(Block& block, std::size_t at, std::size_t size, std::string_view text) {
    std::memcpy(block.data() + at, text.data(), std::min(size, text.size()));
}

void put_octal(Block& block, std::size_t at, std::size_t digits, std::uint64_t value) {
    put_text(block, at, digits, fmt::format("{:0{}o}", value, digits));
}

void put_checksum(Block& block) {
    std::memset(block.data() + 148, ' ', 8);
    unsigned sum = 0;
    for (const char c : block) sum += static_cast<unsigned char>(c);
    put_text(block, 148, 7, fmt::format("{:06o}", sum));
    block[154] = '\0';
}

std::string_view as_view(const Block& block) {
    return {block.data(), block.size()};
}

/// "<length> key=value\n", where the length counts its own digits.
void add_record(std::string& out, std::string_view key, std::string_view value) {
    const auto rest = key.size() + value.size() + 3;
    auto length = rest + 1;
    while (length != rest + std::to_string(length).size()) length = rest + std::to_string(length).size();
    out += fmt::format("{} {}=", length, key);
    out += value;
    out += '\n';
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Puts the name into name and prefix; false when it does not fit, then its end stands in the name field.
bool put_name(Block& block, std::string_view name) {
    if (name.size() <= kNameField) {
        put_text(block, 0, kNameField, name);
        return true;
    }
    // A slash within the last 101 bytes, at most 155 before it, and something after it.
    for (auto slash = name.find('/', name.size() - kNameField - 1);
         slash != std::string_view::npos && slash <= kPrefixField; slash = name.find('/', slash + 1)) {
        if (slash == 0 || slash + 1 == name.size()) continue;
        put_text(block, 345, kPrefixField, name.substr(0, slash));
        put_text(block, 0, kNameField, name.substr(slash + 1));
        return true;
    }
    put_text(block, 0, kNameField, name.substr(0, kNameField));
    return false;
}

std::string decimal_time(std::int64_t seconds, std::int64_t nanoseconds) {
    if (nanoseconds == 0) return std::to_string(seconds);
    // -1.25 is second -2 and 750,000,000 ns.
    const bool negative = seconds < 0;
    const auto whole = negative ? -(seconds + 1) : seconds;
    const auto part = negative ? 1'000'000'000 - nanoseconds : nanoseconds;
    auto text = fmt::format("{}{}.{:09}", negative ? "-" : "", whole, part);
    while (text.ends_with('0')) text.pop_back();
    return text;
}

void check(const TarEntry& entry) {
    if (entry.name.empty()) throw Error("an entry without a name", ErrorKind::invalid);
    if (entry.name.find('\0') != std::string::npos || entry.link.find('\0') != std::string::npos)
        throw make_error(ErrorKind::invalid, "the name {} contains a NUL", quote(entry.name));
    if (entry.size < 0) throw make_error(ErrorKind::invalid, "{} has a negative size", quote(entry.name));
}

/// The header of `entry`, and the pax records for what does not fit into it.
Block make_header(const TarEntry& entry, std::string_view name, std::int64_t size, std::string& records) {
    Block block{};
    if (!put_name(block, name) || !is_ascii(name)) add_record(records, "path", name);
    put_octal(block, 100, 7, entry.mode & 07777U);
    put_octal(block, 108, 7, std::min(entry.owner, kMaxOctal7));
    if (entry.owner > kMaxOctal7) add_record(records, "uid", std::to_string(entry.owner));
    put_octal(block, 116, 7, std::min(entry.group, kMaxOctal7));
    if (entry.group > kMaxOctal7) add_record(records, "gid", std::to_string(entry.group));
    put_octal(block, 124, 11, static_cast<std::uint64_t>(std::min(size, kMaxOctal11)));
    if (size > kMaxOctal11) add_record(records, "size", std::to_string(size));
    put_octal(block, 136, 11, static_cast<std::uint64_t>(std::clamp<std::int64_t>(entry.mtime_s, 0, kMaxOctal11)));
    if (entry.mtime_s < 0 || entry.mtime_s > kMaxOctal11 || entry.mtime_ns != 0)
        add_record(records, "mtime", decimal_time(entry.mtime_s, entry.mtime_ns));
    block[156] = type_flag(entry.type);
    put_text(block, 157, kNameField, entry.link);
    if (entry.link.size() > kNameField || !is_ascii(entry.link)) add_record(records, "linkpath", entry.link);
    put_text(block, 257, 6, "ustar");
    put_text(block, 263, 2, "00");
    if (entry.type == TarType::character || entry.type == TarType::block) {
        put_octal(block, 329, 7, std::min(entry.major, kMaxOctal7));
        put_octal(block, 337, 7, std::min(entry.minor, kMaxOctal7));
    }
    put_checksum(block);
    return block;
}

}  // namespace

void TarWriter::add(const TarEntry& entry) {
    if (left_ != 0) throw Error("the data of the entry before is not complete");
    pad();
    check(entry);
    auto name = entry.name;
    if (entry.type == TarType::directory && !name.ends_with('/')) name += '/';
    const auto size = entry.type == TarType::regular ? entry.size : 0;
    std::string records;
    const auto block = make_header(entry, name, size, records);
    for (const auto& [key, value] : entry.xattrs) add_record(records, "SCHILY.xattr." + key, value);
    if (!records.empty()) {
        TarEntry extension;
        extension.name = "PaxHeaders/" + name.substr(0, 80);
        extension.mode = 0644;
        std::string none;
        auto header = make_header(extension, extension.name, static_cast<std::int64_t>(records.size()), none);
        header[156] = 'x';
        put_checksum(header);
        out_.write(as_view(header));
        records.resize((records.size() + kBlock - 1) / kBlock * kBlock, '\0');
        out_.write(records);
    }
    out_.write(as_view(block));
    left_ = size;
    padding_ = (static_cast<std::int64_t>(kBlock) - size % static_cast<std::int64_t>(kBlock)) %
               static_cast<std::int64_t>(kBlock);
}

void TarWriter::data(std::string_view bytes) {
    if (static_cast<std::int64_t>(bytes.size()) > left_) throw Error("more data than the entry's size");
    out_.write(bytes);
    left_ -= static_cast<std::int64_t>(bytes.size());
}

void TarWriter::pad() {
    if (padding_ == 0) return;
    static constexpr Block kZeros{};
    out_.write(as_view(kZeros).substr(0, static_cast<std::size_t>(padding_)));
    padding_ = 0;
}

void TarWriter::finish() {
    if (left_ != 0) throw Error("the data of the last entry is not complete");
    pad();
    static constexpr Block kZeros{};
    out_.write(as_view(kZeros));
    out_.write(as_view(kZeros));
}

}  // namespace compose::image
