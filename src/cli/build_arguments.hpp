// Options that `build` and `image build` read the same way.
#pragma once

#include <compose/build.hpp>
#include <string>
#include <vector>

namespace compose::cli {

class Context;

/// "NAME=value", or "NAME" for this program's variable of that name; one that isn't set is left out.
void add_build_args(const Context& context, const std::vector<std::string>& texts, BuildRequest& request);
/// "default", "id=socket": the agent of SSH_AUTH_SOCK, or the one given.
void add_ssh(const Context& context, const std::vector<std::string>& texts, BuildRequest& request);
/// "id=x,src=file", "id=x,env=NAME", "id=x".
void add_secrets(const Context& context, const std::vector<std::string>& texts, BuildRequest& request);
/// "type=local,dest=x", "x" (a folder), "-" (a tar on stdout), "type=registry,name=x".
void add_outputs(const std::vector<std::string>& texts, BuildRequest& request);

/// --builder: there is one, "default". Throws Error(usage) for another.
void check_builder(const std::string& name);
/// --provenance and --sbom: no attestations are made, so only "false" (or nothing) is what will happen.
void check_attestation(const char* flag, const std::string& value);

}  // namespace compose::cli
