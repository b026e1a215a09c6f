#include "loader/compose_file.hpp"

#include <utility>

#include <fmt/format.h>

#include "loader/interpolate.hpp"
#include "loader/stages.hpp"
#include "loader/yaml_reader.hpp"

namespace compose {

bool LoadSession::afford_values(std::size_t count, SourcePos pos, const std::string& path) {
    const auto outcome = budget.take_values(count);
    if (outcome == Budget::Outcome::spent)
        findings.error(pos, path, fmt::format("the project's files make more than {} values", Budget::kMaxValues),
                       "split it into projects");
    return outcome == Budget::Outcome::fine;
}

bool LoadSession::afford_file(const AskedAt& asked) {
    const auto outcome = budget.take_file();
    if (outcome == Budget::Outcome::spent)
        findings.error(asked.pos, asked.path, fmt::format("more than {} Compose files are read", Budget::kMaxFiles),
                       "files that include each other many times over cost too much");
    return outcome == Budget::Outcome::fine;
}

std::optional<RawFile> read_compose_file(LoadSession& session, const std::string& path, const AskedAt& asked) {
    if (!session.afford_file(asked)) return std::nullopt;
    const auto located = session.files.locate("/", path, asked);
    if (!located) return std::nullopt;
    const auto file = session.files.open(*located, asked, "Compose file");
    if (!file) return std::nullopt;
    RawFile out{*located, *file, {}};
    const auto errors = session.findings.error_count();
    for (auto& document : read_yaml(*file, session.findings)) {
        if (document.is_null()) continue;
        if (!session.afford_values(count_values(document), asked.pos, asked.path)) return std::nullopt;
        if (document.is_mapping())
            out.documents.push_back(std::move(document));
        else
            session.findings.error(document.pos, "",
                                   fmt::format("a Compose file is a mapping, this is {}", to_string(document.kind)),
                                   "begin with \"services:\"");
    }
    if (out.documents.empty()) {
        if (session.findings.error_count() == errors)
            session.findings.error({*file, 1, 1}, "",
                                   fmt::format("empty Compose file: {} says nothing", session.files.shown(path)));
        return std::nullopt;
    }
    return out;
}

std::vector<NodePath> prepare_document(LoadSession& session, Node& document, const Environment& environment) {
    const bool expand = session.request.interpolate;
    if (expand) interpolate(document, environment, session.interpolation, session.findings);
    auto resets = take_reset_paths(document);
    validate_schema(document, session.findings, expand);
    canonicalize(document, session.findings, expand);
    remove_duplicates(document);
    return resets;
}

namespace {

void forget_version(Node& document, Diagnostics& findings) {
    const auto* version = document.find_entry("version");
    if (version == nullptr) return;
    findings.warning(version->key_pos, "version", "the attribute `version` is obsolete, it will be ignored",
                     "remove this line");
    document.erase("version");
}

}  // namespace

ComposeFile prepare_compose_file(LoadSession& session, RawFile raw, const Environment& environment) {
    ComposeFile out{std::move(raw.path), Node::make_mapping({raw.file, 1, 1}), {}};
    for (auto& document : raw.documents) {
        forget_version(document, session.findings);
        auto resets = prepare_document(session, document, environment);
        drop_paths(out.root, resets);
        const auto pos = document.pos;
        if (out.root.entries.empty())
            out.root = std::move(document);
        else
            merge_tree(out.root, std::move(document));
        out.root.pos = pos;
        for (auto& path : resets) out.resets.push_back(std::move(path));
    }
    return out;
}

}  // namespace compose
