// Makes tar archives byte by byte, sound and unsound ones.
#pragma once

#include <cstring>
#include <string>

#include <fmt/format.h>

namespace compose::image::test {

struct Header {
    std::string name;
    char type = '0';
    std::string data;
    std::string link;
    unsigned mode = 0644;
    std::string owner = "0000000", group = "0000000";
    std::string mtime = "14371573130";  // octal
    std::string size;                   // empty: of the data
    std::string magic = std::string(
        "ustar\0"
        "00",
        8);
    std::string prefix;
    std::string devmajor = "0000000", devminor = "0000000";
};

class TarBuilder {
public:
    TarBuilder& add(const Header& h) {
        std::string block(512, '\0');
        const auto put = [&](std::size_t at, std::string_view text) { block.replace(at, text.size(), text); };
        put(0, h.name.substr(0, 100));
        put(100, fmt::format("{:07o}", h.mode));
        put(108, h.owner);
        put(116, h.group);
        put(124, h.size.empty() ? fmt::format("{:011o}", h.data.size()) : h.size);
        put(136, h.mtime);
        block[156] = h.type;
        put(157, h.link.substr(0, 100));
        put(257, h.magic);
        put(329, h.devmajor);
        put(337, h.devminor);
        put(345, h.prefix);
        return raw(finish(block)).padded(h.data);
    }
    TarBuilder& file(const std::string& name, const std::string& data = "x", unsigned mode = 0644) {
        return add({.name = name, .data = data, .link = "", .mode = mode, .size = "", .prefix = ""});
    }
    TarBuilder& directory(const std::string& name, unsigned mode = 0755) {
        return add({.name = name, .type = '5', .data = "", .link = "", .mode = mode, .size = "", .prefix = ""});
    }
    TarBuilder& link(char type, const std::string& name, const std::string& target) {
        return add({.name = name, .type = type, .data = "", .link = target, .size = "", .prefix = ""});
    }
    TarBuilder& node(const std::string& name, char type, unsigned major, unsigned minor) {
        return add({.name = name,
                    .type = type,
                    .data = "",
                    .link = "",
                    .size = "",
                    .prefix = "",
                    .devmajor = fmt::format("{:07o}", major),
                    .devminor = fmt::format("{:07o}", minor)});
    }
    static std::string record(const std::string& key, const std::string& value) {
        const auto rest = " " + key + "=" + value + "\n";
        auto length = rest.size() + 1;
        while (std::to_string(length).size() + rest.size() != length) ++length;
        return std::to_string(length) + rest;
    }
    TarBuilder& pax(const std::string& records, char type = 'x') {
        return add({.name = "pax", .type = type, .data = records, .link = "", .size = "", .prefix = ""});
    }
    TarBuilder& raw(std::string_view bytes) {
        bytes_ += bytes;
        return *this;
    }
    TarBuilder& padded(std::string_view data) {
        bytes_ += data;
        bytes_.append((512 - data.size() % 512) % 512, '\0');
        return *this;
    }
    static std::string finish(std::string block) {
        block.replace(148, 8, "        ");
        unsigned sum = 0;
        for (const char c : block) sum += static_cast<unsigned char>(c);
        block.replace(148, 7, fmt::format("{:06o}", sum) + std::string(1, '\0'));
        return block;
    }
    [[nodiscard]] std::string end() const { return bytes_ + std::string(1024, '\0'); }
    [[nodiscard]] const std::string& bytes() const { return bytes_; }

private:
    std::string bytes_;
};

}  // namespace compose::image::test
