// The stages between the text and the typed project that work on a finished tree. Each takes what the one before left,
// reports to Diagnostics and never throws for what a user wrote.
//
//   per document/file: read -> interpolate (+ cast) -> validate_schema -> canonicalize -> resolve_paths
//   then:              extends/include/merge -> set_defaults -> resolve_paths (again, with the project's folder: makes
//                      the defaults absolute) -> environment files -> normalize -> selection -> check_consistency
//                      -> bind_project
#pragma once

#include <compose/config.hpp>
#include <compose/diagnostics.hpp>
#include <compose/project.hpp>
#include <map>
#include <set>
#include <string>

#include "model/node.hpp"

namespace compose {

/// Schema findings (unknown keys with "did you mean", wrong types, malformed scalars) of one file as it was written,
/// short and long forms alike: run it per file right after interpolation and before canonicalize, so that messages
/// point at the text. Casting need not report what it can't cast; this does. Values tagged !reset are skipped.
/// `interpolated` false (`config --no-interpolate`): a text with a `$` passes wherever a scalar may stand.
void validate_schema(const Node& root, Diagnostics& findings, bool interpolated = true);
/// Short forms to long forms in place, per file before merging, so that the merge sees long forms only; scalars get
/// the type that the schema wants ("3" -> 3, 8443 -> "8443", "64m" -> "67108864"), so no other cast is needed. Leaves
/// wrong types alone: validate_schema reports them. Nodes tagged !reset are left alone, other tags stay on the value.
/// `interpolated` false: texts with a `$` stay as they are.
void canonicalize(Node& root, Diagnostics& findings, bool interpolated = true);
/// Defaults that must not take part in the merge, and removal of what says nothing (empty lists, false flags).
void set_defaults(Node& root, Diagnostics& findings);
/// Called per file, since included and extended files have their own base folder; absolute paths stay as they are.
void resolve_paths(Node& root, const std::string& base_dir, const std::string& home);
/// Default network, implicit dependencies of links/ipc/pid/network_mode/volumes_from, names of resources. Drops build
/// arguments that are still null, so resolve those from the environment before.
void normalize(Node& root, const std::string& project_name, Diagnostics& findings);
/// References, exclusions and cycles among the selected services. `disabled` (may be null) is the mapping of services
/// that the selection left out: with it, messages name the profile that must be enabled. Of what stands in
/// `faulty` ("services.web") only the references are checked: the rest may follow from earlier findings.
void check_consistency(const Node& root, Diagnostics& findings, const Node* disabled = nullptr,
                       const std::set<std::string>& faulty = {});
/// Fills name, services and resources, and on demand the services' hashes; folders and file lists are the caller's.
/// Configs and secrets take their content from `environment` where they name a variable.
Project bind_project(const Node& root, const std::map<std::string, std::string>& environment, bool hashes,
                     Diagnostics& findings);
/// What the engine can't do yet (errors) or never will (warnings). Only for commands that run containers.
void check_supported(const Node& root, Diagnostics& findings, const HostSupport& host = {});

}  // namespace compose
