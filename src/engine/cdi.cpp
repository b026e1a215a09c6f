#include "engine/cdi.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "loader/yaml_reader.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/private_path.hpp"

namespace compose::engine {
namespace {

constexpr std::size_t kLargestFile = std::size_t{4} << 20U;

std::string text_in(const Node& node, std::string_view key) {
    const Node* found = node.find(key);
    return found != nullptr && found->is_scalar() && !found->is_null() ? found->text : std::string{};
}

const std::vector<Node>& list_in(const Node& node, std::string_view key) {
    static const std::vector<Node> none;
    const Node* found = node.find(key);
    return found != nullptr && found->is_sequence() ? found->items : none;
}

struct Definition {
    std::string file;
    Node root;
};

// Broken files of other kinds are nobody's business here.
std::vector<Definition> definitions(const std::vector<std::string>& folders) {
    std::vector<Definition> result;
    for (const std::string& folder : folders) {
        if (!sys::is_directory(folder)) continue;
        for (const std::string& name : sys::list_directory(folder)) {
            if (!name.ends_with(".json") && !name.ends_with(".yaml") && !name.ends_with(".yml")) continue;
            Diagnostics findings;
            const std::string path = folder + "/" + name;
            const auto file = findings.sources.add(path, sys::read_file(path, kLargestFile));
            auto documents = read_yaml(file, findings);
            if (!documents.empty() && documents.front().is_mapping())
                result.push_back({path, std::move(documents.front())});
        }
    }
    return result;
}

void apply(const Node& from, const std::string& file, CdiEdits& out) {
    const auto before = out.hooks.size();
    add_edits(from.find("containerEdits"), file, out);
    // They run as root.
    if (out.hooks.size() > before) sys::require_safe_file(file);
}

}  // namespace

bool is_cdi_name(const std::string& text) {
    const auto equals = text.find('=');
    const auto slash = text.find('/');
    return equals != std::string::npos && slash != std::string::npos && slash > 0 && slash < equals &&
           equals + 1 < text.size() && text.find(':') == std::string::npos;
}

CdiRegistry::CdiRegistry(std::vector<std::string> folders) : folders_(std::move(folders)) {}

CdiEdits CdiRegistry::edits_for(const std::vector<std::string>& names) const {
    CdiEdits result;
    if (names.empty()) return result;
    const auto all = definitions(folders_);
    std::vector<std::string> used;  // files whose common edits are in already
    for (const std::string& name : names) {
        const auto equals = name.find('=');
        const std::string kind = name.substr(0, equals), wanted = name.substr(equals + 1);
        const Definition* from = nullptr;
        const Node* device = nullptr;
        std::vector<std::string> known;
        // The last folder counts most.
        for (const Definition& definition : all) {
            if (text_in(definition.root, "kind") != kind) continue;
            for (const Node& candidate : list_in(definition.root, "devices")) {
                known.push_back(kind + "=" + text_in(candidate, "name"));
                if (text_in(candidate, "name") != wanted) continue;
                from = &definition;
                device = &candidate;
            }
        }
        if (device == nullptr) {
            auto error = make_error(ErrorKind::not_found, "unresolvable CDI device {}", name);
            error.with_hint(known.empty() ? fmt::format("no file in {} defines {}", join(folders_, " or "), kind)
                                          : "there are " + join(known, ", "));
            throw error;
        }
        apply(*device, from->file, result);
        if (std::find(used.begin(), used.end(), from->file) != used.end()) continue;
        used.push_back(from->file);
        apply(from->root, from->file, result);
    }
    return result;
}

bool CdiRegistry::knows(const std::string& kind) const {
    const auto all = definitions(folders_);
    return std::any_of(all.begin(), all.end(), [&](const auto& one) { return text_in(one.root, "kind") == kind; });
}

std::vector<std::string> CdiRegistry::names_for(const std::vector<DeviceRequest>& requests) const {
    static constexpr const char* kVendors[] = {"nvidia", "amd", "intel"};
    std::vector<std::string> result;
    for (const DeviceRequest& request : requests) {
        if (request.driver == "cdi") {
            result.insert(result.end(), request.device_ids.begin(), request.device_ids.end());
            continue;
        }
        std::string kind;
        for (const char* vendor : kVendors) {
            const std::string candidate = fmt::format("{}.com/gpu", vendor);
            if (kind.empty() && (request.driver.empty() ? knows(candidate) : request.driver == vendor))
                kind = candidate;
        }
        const auto& wanted = request.capabilities;
        if (kind.empty() || std::find(wanted.begin(), wanted.end(), "gpu") == wanted.end())
            throw make_error(ErrorKind::unavailable, "could not select device driver \"{}\" with capabilities: [[{}]]",
                             request.driver, join(wanted, " "))
                .with_hint("describe the host's GPUs in /etc/cdi, for example with nvidia-ctk cdi generate");
        for (const std::string& id : request.device_ids) result.push_back(kind + "=" + id);
        if (!request.device_ids.empty()) continue;
        const std::int64_t count = request.count.value_or(-1);
        if (count < 0) result.push_back(kind + "=all");
        for (std::int64_t i = 0; i < std::min<std::int64_t>(count, 256); ++i)
            result.push_back(fmt::format("{}={}", kind, i));
    }
    return result;
}

}  // namespace compose::engine
