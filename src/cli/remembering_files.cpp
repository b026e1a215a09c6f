#include "cli/remembering_files.hpp"

#include <algorithm>
#include <compose/local_files.hpp>

namespace compose::cli {

namespace {

/// The name without what joins it to a path; passwords are not in it.
std::string shown(const RemoteCopy& copy) {
    return copy.name.substr(0, copy.name.size() - 1);
}

}  // namespace

RememberingFiles::RememberingFiles(std::map<std::string, std::string> environment)
    : real_(make_fetching_files(std::move(environment))) {}

std::string RememberingFiles::read_stdin() {
    if (!input_) input_ = real_->read_stdin();
    return *input_;
}

RemoteCopy RememberingFiles::fetch(const std::string& address, const std::string& named_in) {
    const bool by_stranger = is_fetched(named_in);
    auto copy = real_->fetch(address, named_in);
    const auto [entry, fresh] = fetched_.try_emplace(address, Fetched{copy, by_stranger});
    if (!fresh) entry->second.by_stranger = entry->second.by_stranger && by_stranger;
    return copy;
}

bool RememberingFiles::is_fetched(const std::string& path) const {
    return std::any_of(fetched_.begin(), fetched_.end(), [&](const auto& entry) {
        const auto& root = entry.second.copy.root;
        return path == root || path.starts_with(root + "/");
    });
}

std::string RememberingFiles::address_of(const std::string& file) const {
    for (const auto& [address, fetched] : fetched_)
        if (fetched.copy.file == file && !fetched.by_stranger) return shown(fetched.copy);
    return {};
}

std::vector<std::string> RememberingFiles::addresses_of_strangers() const {
    std::vector<std::string> out;
    for (const auto& [address, fetched] : fetched_)
        if (fetched.by_stranger) out.push_back(shown(fetched.copy));
    return out;
}

}  // namespace compose::cli
