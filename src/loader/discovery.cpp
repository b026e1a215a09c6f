#include "loader/discovery.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/strings.hpp"
#include "loader/dotenv.hpp"

namespace compose {

namespace {

constexpr std::array kNames{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"};
constexpr std::array kOverrides{"compose.override.yml", "compose.override.yaml", "docker-compose.override.yml",
                                "docker-compose.override.yaml"};

class Locator {
public:
    Locator(const LoadRequest& request, SourceFiles& files, Diagnostics& findings)
        : request_(request), files_(files), findings_(findings) {
        place_.environment = request.environment;
    }

    ProjectPlace run() {
        const auto& from = request_.working_directory;
        if (request_.project_directory) place_.folder = join_path(from, *request_.project_directory);
        read_explicit_env_files();
        if (!explicit_ && default_env_file_allowed()) read_default_env_file(from);
        choose_config_files();
        if (place_.folder.empty()) place_.folder = first_folder();
        place_.naming_folder = place_.folder.empty() ? from : place_.folder;
        if (!explicit_ && default_env_file_allowed() && !place_.folder.empty()) read_default_env_file(place_.folder);
        return std::move(place_);
    }

private:
    [[nodiscard]] std::string variable(const std::string& name) const {
        const auto found = place_.environment.find(name);
        return found == place_.environment.end() ? std::string{} : found->second;
    }

    [[nodiscard]] bool default_env_file_allowed() const {
        const auto value = lower(variable("COMPOSE_DISABLE_ENV_FILE"));
        return value.empty() || value == "0" || value == "false";
    }

    void read_explicit_env_files() {
        auto paths = request_.env_files;
        if (paths.empty())
            for (auto& path : split(variable("COMPOSE_ENV_FILES"), ','))
                if (!path.empty()) paths.push_back(std::move(path));
        explicit_ = !paths.empty();
        std::map<std::string, std::string> together;  // a later file wins over an earlier one, the shell over both
        for (const auto& given : paths) {
            const auto path = join_path(request_.working_directory, given);
            const auto file = files_.open(path, {}, kEnvFile);
            if (!file) continue;
            for (auto& entry : parse_dotenv(*file, request_.environment, together, findings_))
                if (entry.value) together[std::move(entry.key)] = std::move(*entry.value);
            place_.environment_files.push_back(path);
        }
        place_.environment.merge(together);
    }

    void read_default_env_file(const std::string& folder) {
        const auto path = join_path(folder, ".env");
        const auto& known = place_.environment_files;
        if (std::find(known.begin(), known.end(), path) != known.end() || !files_.is_file(path)) return;
        if (const auto file = files_.open(path, {}, kEnvFile, true)) {
            add_dotenv(*file, place_.environment, findings_);
            place_.environment_files.push_back(path);
        }
    }

    void choose_config_files() {
        auto given = request_.files;
        if (given.empty() && !variable("COMPOSE_FILE").empty()) given = files_of_variable();
        if (given.empty()) return discover();
        for (const auto& path : given)
            place_.config_files.push_back(
                path == "-" || is_remote_file(path) ? path : join_path(request_.working_directory, path));
    }

    /// An address has colons of its own: without a separator that it has not, it stands alone.
    std::vector<std::string> files_of_variable() {
        const auto text = variable("COMPOSE_FILE");
        const auto separator = variable("COMPOSE_PATH_SEPARATOR");
        const bool default_separator = separator.size() != 1 || separator == ":";
        if (default_separator && is_remote_file(text)) return {text};
        auto out = split(text, default_separator ? ':' : separator[0]);
        std::erase(out, std::string{});
        if (default_separator && text.find("://") != std::string::npos)
            findings_.error({}, "", fmt::format("COMPOSE_FILE is {}: an address has colons of its own", quote(text)),
                            "set COMPOSE_PATH_SEPARATOR to what stands between the files, for example a comma");
        return out;
    }

    void discover() {
        const auto start = place_.folder.empty() ? request_.working_directory : place_.folder;
        for (auto folder = start;; folder = parent_folder(folder)) {
            std::vector<std::string> found;
            for (const auto* name : kNames)
                if (auto path = join_path(folder, name); files_.is_file(path)) found.push_back(std::move(path));
            if (!found.empty()) return use_discovered(folder, found);
            if (folder == "/" || folder.empty()) break;
        }
        findings_.error({}, "", fmt::format("no configuration file provided: not found in {} or above", start),
                        "create a compose.yaml there or name a file with -f");
    }

    void use_discovered(const std::string& folder, const std::vector<std::string>& found) {
        place_.config_files.push_back(found.front());
        if (found.size() > 1)
            findings_.warning({}, "", fmt::format("found several Compose files, using {}", files_.shown(found.front())),
                              fmt::format("remove {} or choose one with -f", files_.shown(found[1])));
        for (const auto* name : kOverrides) {
            auto path = join_path(folder, name);
            if (!files_.is_file(path)) continue;
            place_.config_files.push_back(std::move(path));
            return;
        }
    }

    [[nodiscard]] std::string first_folder() const {
        if (place_.config_files.empty() || place_.config_files.front() == "-") return request_.working_directory;
        if (is_remote_file(place_.config_files.front())) return {};
        return parent_folder(place_.config_files.front());
    }

    const LoadRequest& request_;
    SourceFiles& files_;
    Diagnostics& findings_;
    ProjectPlace place_;
    bool explicit_ = false;
};

}  // namespace

std::span<const char* const> default_file_names() {
    return kNames;
}

ProjectPlace locate_project(const LoadRequest& request, SourceFiles& files, Diagnostics& findings) {
    return Locator(request, files, findings).run();
}

void add_dotenv(std::uint32_t file, std::map<std::string, std::string>& environment, Diagnostics& findings) {
    std::map<std::string, std::string> fresh;
    for (auto& entry : parse_dotenv(file, environment, {}, findings))
        if (entry.value) fresh[std::move(entry.key)] = std::move(*entry.value);
    environment.merge(fresh);
}

}  // namespace compose
