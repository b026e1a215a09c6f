// The four ways in which archives write files with holes.
#include <algorithm>
#include <optional>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "image/tar.hpp"
#include "image/tar_numbers.hpp"

namespace compose::image {

void TarReader::apply_sparse(const Extensions& extensions, TarEntry& entry) {
    const auto& pax = extensions.pax;
    const auto real_size = [&]() -> std::optional<std::int64_t> {
        for (const auto* key : {"GNU.sparse.realsize", "GNU.sparse.size"})
            if (const auto found = pax.find(key); found != pax.end()) return tar_decimal(found->second).value_or(-1);
        return std::nullopt;
    }();
    if (!real_size) return;
    if (*real_size < 0 || *real_size > kMaxTarSize) fail("its size is out of range");
    entry.sparse = true;
    entry.size = *real_size;
    entry.extents = extensions.old_map;
    if (const auto map = pax.find("GNU.sparse.map"); map != pax.end()) {
        const auto numbers = split(map->second, ',');
        if (numbers.size() % 2 != 0) fail("a sparse map is malformed");
        for (std::size_t i = 0; i < numbers.size(); i += 2)
            entry.extents.push_back({tar_decimal(numbers[i]).value_or(-1), tar_decimal(numbers[i + 1]).value_or(-1)});
    }
}

/// Old GNU: four extents in the header, more in blocks of their own.
void TarReader::read_old_sparse(const char* block, TarEntry& entry) {
    entry.sparse = true;
    const auto real_size = tar_number(block, 483, 12);
    if (!real_size || *real_size < 0 || *real_size > kMaxTarSize) fail("its size is out of range");
    entry.size = *real_size;
    const auto read_extents = [&](const char* from, std::size_t offset, int count) {
        for (int i = 0; i < count; ++i, offset += 24) {
            if (from[offset] == '\0') return;
            const auto start = tar_number(from, offset, 12), size = tar_number(from, offset + 12, 12);
            if (!start || !size || entry.extents.size() >= kMaxTarExtents) fail("a sparse map is malformed");
            entry.extents.push_back({*start, *size});
        }
    };
    read_extents(block, 386, 4);
    bool more = block[482] != '\0';
    char extension[kTarBlock];
    while (more) {
        read_exactly(extension, kTarBlock);
        read_extents(extension, 0, 21);
        more = extension[504] != '\0';
    }
}

/// GNU.sparse 1.0: the map is decimal lines in front of the data, padded to a block.
void TarReader::read_map_in_data(TarEntry& entry) {
    entry.sparse = true;
    entry.extents.clear();
    std::int64_t used = 0;
    std::string line;
    const auto read_number = [&] {
        line.clear();
        for (;;) {
            const auto bytes = data();
            if (bytes.empty() || line.size() > 20) fail("a sparse map is malformed");
            const char c = bytes[0];
            consume(1);
            ++used;
            if (c == '\n') break;
            line += c;
        }
        const auto value = tar_decimal(line);
        if (!value) fail("a sparse map is malformed");
        return *value;
    };
    const auto count = read_number();
    if (count < 0 || count > static_cast<std::int64_t>(kMaxTarExtents)) fail("a sparse map is malformed");
    for (std::int64_t i = 0; i < count; ++i) {
        const auto offset = read_number();
        const auto size = read_number();
        entry.extents.push_back({offset, size});
    }
    const auto rest = round_up_to_block(used) - used;
    if (rest > data_left_) fail("a sparse map is malformed");
    skip(rest);
    data_left_ -= rest;
    stored_ = data_left_;
}

void TarReader::check_extents(TarEntry& entry) const {
    std::int64_t end = 0, sum = 0;
    for (const auto& extent : entry.extents) {
        if (extent.offset < end || extent.size < 0 || extent.size > kMaxTarSize ||
            extent.offset > entry.size - extent.size)
            fail("a sparse map is malformed");
        end = extent.offset + extent.size;
        sum += extent.size;
    }
    if (sum != data_left_) fail("a sparse map does not fit its data");
    std::erase_if(entry.extents, [](const auto& extent) { return extent.size == 0; });
}

}  // namespace compose::image
