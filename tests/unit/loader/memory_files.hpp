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

    void add(const std::string& path, std::string text) { files_[path] = std::move(text); }

    std::string input;
    std::map<std::string, int> reads;

private:
    std::map<std::string, std::string> files_;
};

}  // namespace compose
