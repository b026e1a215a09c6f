#include "loader/include.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "base/strings.hpp"
#include "loader/discovery.hpp"
#include "loader/dotenv.hpp"
#include "loader/extends.hpp"
#include "loader/stages.hpp"

namespace compose {

namespace {

constexpr std::size_t kMaxChain = 64;
constexpr std::array<std::string_view, 6> kSections{"services", "networks", "volumes", "configs", "secrets", "models"};

struct Text {
    std::string value;
    SourcePos pos;
};

/// One item of `include`.
struct Inclusion {
    std::vector<Text> paths;
    std::optional<Text> folder;
    std::optional<std::vector<Text>> env_files;
};

std::vector<Text> texts_of(const Node& node) {
    std::vector<Text> out;
    if (node.is_string()) out.push_back({node.text, node.pos});
    for (const auto& item : node.items) {
        const auto* path = item.is_mapping() ? item.find("path") : &item;
        if (path != nullptr && path->is_string()) out.push_back({path->text, path->pos});
    }
    return out;
}

Inclusion read_inclusion(const Node& item) {
    Inclusion out;
    if (!item.is_mapping()) {
        out.paths = texts_of(item);
        return out;
    }
    if (const auto* path = item.find("path")) out.paths = texts_of(*path);
    if (const auto* folder = item.find("project_directory");
        folder != nullptr && folder->is_string() && !folder->text.empty())
        out.folder = {folder->text, folder->pos};
    if (const auto* files = item.find("env_file"); files != nullptr && !files->is_null())
        out.env_files = texts_of(*files);
    return out;
}

bool same(const Node& a, const Node& b) {
    if (a.kind != b.kind || a.text != b.text || a.items.size() != b.items.size() ||
        a.entries.size() != b.entries.size())
        return false;
    for (std::size_t i = 0; i < a.items.size(); ++i)
        if (!same(a.items[i], b.items[i])) return false;
    for (std::size_t i = 0; i < a.entries.size(); ++i)
        if (a.entries[i].key != b.entries[i].key || !same(a.entries[i].value, b.entries[i].value)) return false;
    return true;
}

class ModelLoader {
public:
    explicit ModelLoader(LoadSession& session) : session_(session) {}

    Node load(std::vector<RawFile> files, const std::string& folder, const Environment& environment, bool included) {
        Node model = Node::make_mapping({});
        for (auto& raw : files) {
            auto file = prepare_compose_file(session_, std::move(raw), environment);
            apply_includes(file, folder, environment);
            apply_extends(session_, file, folder, environment);
            if (included || session_.request.resolve_paths) resolve_paths(file.root, folder, session_.home);
            drop_paths(model, file.resets);
            if (model.entries.empty())
                model = std::move(file.root);
            else
                merge_tree(model, std::move(file.root));
        }
        return model;
    }

private:
    void apply_includes(ComposeFile& file, const std::string& folder, const Environment& environment) {
        const auto* list = file.root.find("include");
        if (list == nullptr) return;
        chain_.push_back(file.path);
        Node imported = Node::make_mapping(file.root.pos);
        for (std::size_t i = 0; i < list->items.size(); ++i) {
            const auto place = fmt::format("include[{}]", i);
            if (auto model = include(read_inclusion(list->items[i]), place, folder, environment))
                import(imported, std::move(*model));
        }
        chain_.pop_back();
        file.root.erase("include");
        drop_paths(imported, file.resets);
        const auto pos = file.root.pos;
        merge_tree(imported, std::move(file.root));
        file.root = std::move(imported);
        file.root.pos = pos;
    }

    std::optional<Node> include(const Inclusion& inclusion, const std::string& place, const std::string& folder,
                                const Environment& environment) {
        std::vector<RawFile> files;
        std::string base;
        for (const auto& text : inclusion.paths) {
            const auto path = session_.files.locate(folder, text.value, {text.pos, place});
            if (!path || !check_chain(*path, text.pos, place)) return std::nullopt;
            auto raw = read_compose_file(session_, *path, {text.pos, place});
            if (!raw) return std::nullopt;
            if (files.empty()) base = parent_folder(*path);
            if (session_.trace != nullptr) session_.trace->included.emplace(raw->file, text.pos);
            files.push_back(std::move(*raw));
        }
        if (files.empty()) return std::nullopt;
        if (inclusion.folder) base = join_path(folder, inclusion.folder->value);
        const auto own = environment_of(inclusion, place, folder, base, environment);
        return load(std::move(files), base, own, true);
    }

    /// The parent's values win over those of the included project's own .env.
    Environment environment_of(const Inclusion& inclusion, const std::string& place, const std::string& folder,
                               const std::string& base, const Environment& parent) {
        auto out = parent;
        Environment together;
        if (!inclusion.env_files) {
            const auto path = join_path(base, ".env");
            if (session_.files.is_file(path))
                if (const auto file = session_.files.open(path, {}, kEnvFile, true))
                    add_dotenv(*file, out, session_.findings);
            return out;
        }
        for (const auto& text : *inclusion.env_files) {
            if (text.value == "/dev/null") continue;
            const auto file =
                session_.files.open(join_path(folder, text.value), {text.pos, place + ".env_file"}, kEnvFile);
            if (!file) continue;
            for (auto& entry : parse_dotenv(*file, parent, together, session_.findings))
                if (entry.value) together[std::move(entry.key)] = std::move(*entry.value);
        }
        out.merge(together);
        return out;
    }

    bool check_chain(const std::string& path, SourcePos pos, const std::string& place) {
        const auto at = std::find(chain_.begin(), chain_.end(), path);
        if (at == chain_.end() && chain_.size() < kMaxChain) return true;
        std::string text;
        for (auto link = at == chain_.end() ? chain_.begin() : at; link != chain_.end(); ++link)
            text += session_.files.shown(*link) + " includes ";
        session_.findings.error(pos, place, "include cycle: " + text + session_.files.shown(path));
        return false;
    }

    /// What two included projects both define is merged, the first one wins; the same thing twice (both include a
    /// common file) stays as it is.
    static void import(Node& target, Node model) {
        for (const auto section : kSections) {
            auto* from = model.find(section);
            if (from == nullptr || !from->is_mapping()) continue;
            auto& to = target.at_or_insert(section, from->pos);
            if (to.is_null()) to = Node::make_mapping(from->pos);
            std::unordered_map<std::string, std::size_t> index;
            for (std::size_t i = 0; i < to.entries.size(); ++i) index.emplace(to.entries[i].key, i);
            for (auto& entry : from->entries) {
                const auto known = index.find(entry.key);
                if (known == index.end())
                    to.entries.push_back(std::move(entry));
                else if (!same(to.entries[known->second].value, entry.value))
                    merge_into_included(to.entries[known->second], std::move(entry), section);
            }
        }
    }

    static void merge_into_included(Node::Entry& first, Node::Entry second, std::string_view section) {
        const auto wrap = [&](Node::Entry entry) {
            Node root = Node::make_mapping({});
            Node inner = Node::make_mapping({});
            inner.entries.push_back(std::move(entry));
            root.entries.push_back({std::string(section), {}, std::move(inner)});
            return root;
        };
        Node base = wrap(std::move(second));
        merge_tree(base, wrap(std::move(first)));
        first = std::move(base.entries.front().value.entries.front());
    }

    LoadSession& session_;
    std::vector<std::string> chain_;
};

}  // namespace

Node load_model(LoadSession& session, std::vector<RawFile> files, const std::string& folder,
                const Environment& environment) {
    return ModelLoader(session).load(std::move(files), folder, environment, false);
}

}  // namespace compose
