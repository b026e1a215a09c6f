// The files of one command: standard input is read once, and what was fetched is known.
#pragma once

#include <compose/load.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace compose::cli {

class RememberingFiles final : public FileSource {
public:
    /// `environment` as make_fetching_files() takes it.
    explicit RememberingFiles(std::map<std::string, std::string> environment);

    std::optional<std::string> read(const std::string& path) override { return real_->read(path); }
    bool is_file(const std::string& path) override { return real_->is_file(path); }
    bool is_directory(const std::string& path) override { return real_->is_directory(path); }
    std::string read_stdin() override;
    RemoteCopy fetch(const std::string& address, const std::string& named_in) override;

    // For people: without what stands in them of passwords.

    /// Of a file that fetch() gave; empty for others.
    [[nodiscard]] std::string address_of(const std::string& file) const;
    /// Those that stood in fetched files.
    [[nodiscard]] std::vector<std::string> addresses_of_strangers() const;

private:
    struct Fetched {
        RemoteCopy copy;
        bool by_stranger = false;
    };
    [[nodiscard]] bool is_fetched(const std::string& path) const;

    std::unique_ptr<FileSource> real_;
    std::optional<std::string> input_;
    std::map<std::string, Fetched> fetched_;  // by address
};

}  // namespace compose::cli
