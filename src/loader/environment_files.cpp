#include "loader/environment_files.hpp"

#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/strings.hpp"
#include "loader/dotenv.hpp"

namespace compose {

namespace {

class EnvironmentResolver {
public:
    EnvironmentResolver(LoadSession& session, const Environment& environment, const std::string& folder)
        : session_(session), environment_(environment), folder_(folder), findings_(session.findings) {}

    void service(Node& service, const std::string& name) {
        const auto place = "services." + name;
        from_files(service, "env_file", "environment", place);
        from_files(service, "label_file", "labels", place);
        if (auto* environment = service.find("environment")) fill_nulls(*environment);
        if (auto* build = service.find("build"))
            if (auto* args = build->find("args")) fill_nulls(*args);
    }

private:
    using Values = std::vector<DotenvEntry>;

    void fill_nulls(Node& mapping) const {
        for (auto& entry : mapping.entries) {
            if (!entry.value.is_null()) continue;
            const auto found = environment_.find(entry.key);
            if (found != environment_.end()) entry.value = Node::make_string(found->second, entry.key_pos);
        }
    }

    void from_files(Node& service, std::string_view list, std::string_view target, const std::string& place) {
        auto* listed = service.find(list);
        if (listed == nullptr || session_.budget.values_spent()) return;
        Values values;
        std::map<std::string, std::string> earlier;
        std::unordered_map<std::string, std::size_t> index;
        const auto add = [&](const Node& item, std::size_t at) {
            for (auto& entry : read(item, {item.pos, fmt::format("{}.{}[{}]", place, list, at)}, earlier)) {
                if (!entry.value) continue;
                earlier[entry.key] = *entry.value;
                const auto [slot, fresh] = index.emplace(entry.key, values.size());
                if (fresh) {
                    values.push_back(std::move(entry));
                    continue;
                }
                auto& value = values[slot->second];
                if (session_.trace != nullptr) session_.trace->beneath[entry.pos].push_back({*value.value, value.pos});
                value = std::move(entry);
            }
        };
        if (listed->is_sequence())
            for (std::size_t i = 0; i < listed->items.size(); ++i) add(listed->items[i], i);
        else
            add(*listed, 0);
        const auto pos = listed->pos;
        service.erase(list);
        if (!session_.afford_values(values.size(), pos, place)) return;
        if (!values.empty()) put_below(service, target, std::move(values), pos);
    }

    /// What the service itself says wins, a key without value included.
    void put_below(Node& service, std::string_view target, Values values, SourcePos pos) {
        auto& mapping = service.at_or_insert(target, pos);
        if (mapping.is_null()) mapping = Node::make_mapping(pos);
        if (!mapping.is_mapping()) return;
        std::unordered_map<std::string, SourcePos> own;
        for (const auto& entry : mapping.entries) own.emplace(entry.key, entry.value.pos);
        for (auto& entry : values) {
            if (const auto mine = own.find(entry.key); mine != own.end()) {
                if (session_.trace != nullptr)
                    session_.trace->beneath[mine->second].push_back({*entry.value, entry.pos});
                continue;
            }
            auto value = Node::make_string(std::move(*entry.value), entry.pos);
            value.quoted = true;
            mapping.entries.push_back({std::move(entry.key), entry.pos, std::move(value)});
        }
    }

    Values read(const Node& item, AskedAt asked, const std::map<std::string, std::string>& earlier) {
        const auto* path_node = item.is_mapping() ? item.find("path") : &item;
        if (path_node == nullptr || !path_node->is_string()) return {};
        const auto* required = item.find("required");
        const bool optional = required != nullptr && required->kind == Node::Kind::boolean && !required->boolean;
        const auto* format = item.find("format");
        const bool raw = format != nullptr && format->text == "raw";
        asked.pos = path_node->pos;
        if (format != nullptr && !raw && !format->is_null()) {
            findings_.error(format->pos, asked.path, fmt::format("unknown env_file format {}", quote(format->text)),
                            "the only one is raw");
            return {};
        }
        const auto file = session_.files.open(join_path(folder_, path_node->text), asked, kEnvFile, optional);
        if (!file) return {};
        if (!raw && !earlier.empty()) return parse_dotenv(*file, environment_, earlier, findings_);
        const auto [slot, fresh] = parsed_.try_emplace({*file, raw});
        if (fresh)
            slot->second =
                raw ? parse_raw_env(*file, environment_, findings_) : parse_dotenv(*file, environment_, {}, findings_);
        return slot->second;
    }

    LoadSession& session_;
    const Environment& environment_;
    const std::string& folder_;
    Diagnostics& findings_;
    std::map<std::pair<std::uint32_t, bool>, Values> parsed_;
};

}  // namespace

void resolve_environment(LoadSession& session, Node& root, const std::set<std::string>& services,
                         const Environment& environment, const std::string& folder) {
    auto* all = root.find("services");
    if (all == nullptr) return;
    EnvironmentResolver resolver(session, environment, folder);
    for (auto& entry : all->entries)
        if (entry.value.is_mapping() && services.contains(entry.key)) resolver.service(entry.value, entry.key);
}

}  // namespace compose
