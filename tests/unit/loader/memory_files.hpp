// A FileSource that lives in memory.
#pragma once

#include <compose/load.hpp>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace compose {

class MemoryFiles final : public FileSource {
public:
    MemoryFiles() = default;
    MemoryFiles(std::initializer_list<std::pair<const std::string, std::string>> files) : files_(files) {}

    std::optional<std::string> read(const std::string& path) override {
        ++reads[path];
        const auto found = files_.find(path);
        return found == files_.end() ? std::nullopt : std::optional(found->second);
    }
    bool is_file(const std::string& path) override { return files_.contains(path); }
    bool is_directory(const std::string& path) override {
        const auto next = files_.lower_bound(path + "/");
        return next != files_.end() && next->first.starts_with(path + "/");
    }
    std::string read_stdin() override { return input; }

    RemoteCopy fetch(const std::string& address, const std::string& named_in) override {
        ++fetched[address];
        named[address] = named_in;
        const auto found = copies.find(address);
        if (found == copies.end()) return FileSource::fetch(address, named_in);
        return found->second;
    }

    void add(const std::string& path, std::string text) { files_[path] = std::move(text); }

    std::string input;
    std::map<std::string, int> reads;
    std::map<std::string, RemoteCopy> copies;  // by address
    std::map<std::string, int> fetched;
    std::map<std::string, std::string> named;  // where the address stood

private:
    std::map<std::string, std::string> files_;
};

}  // namespace compose
