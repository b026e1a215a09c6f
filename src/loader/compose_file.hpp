// One Compose file from its text to a canonical tree, before it meets any other file.
#pragma once

#include <compose/load.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "loader/budget.hpp"
#include "loader/interpolate.hpp"
#include "loader/merge.hpp"
#include "loader/source_files.hpp"
#include "loader/trace.hpp"
#include "model/node.hpp"

namespace compose {

/// What every file of a load shares.
struct LoadSession {
    const LoadRequest& request;
    SourceFiles& files;
    Diagnostics& findings;
    Trace* trace = nullptr;  // null: nobody will ask
    std::string home{};
    Budget budget{};
    Interpolation interpolation{budget, trace, {}};

    /// Takes from the budget; false, and a finding for the first time, when it is spent.
    [[nodiscard]] bool afford_values(std::size_t count, SourcePos pos, const std::string& path);
    [[nodiscard]] bool afford_file(const AskedAt& asked);
};

using Environment = std::map<std::string, std::string>;

/// A file as it was read: its documents, nothing expanded yet.
struct RawFile {
    std::string path;  // absolute, or "-"
    std::uint32_t file = 0;
    std::vector<Node> documents;  // mappings only
};

/// A file's canonical tree, its documents merged; its tags are gone, the places that they named are in `resets`.
struct ComposeFile {
    std::string path;
    Node root;
    std::vector<NodePath> resets;
};

/// `path` is absolute, "-", or an address, whose copy is read. Nothing when the file can't be read or holds no mapping:
/// reported.
[[nodiscard]] std::optional<RawFile> read_compose_file(LoadSession& session, const std::string& path,
                                                       const AskedAt& asked);
[[nodiscard]] ComposeFile prepare_compose_file(LoadSession& session, RawFile raw, const Environment& environment);

/// The stages that every document goes through: expand, check, long forms. Returns the places of its tags.
[[nodiscard]] std::vector<NodePath> prepare_document(LoadSession& session, Node& document,
                                                     const Environment& environment);

}  // namespace compose
