#include "cli/docker_context.hpp"

#include "base/error.hpp"
#include "base/strings.hpp"
#include "base/template.hpp"
#include "cli/arguments.hpp"
#include "cli/inspect_json.hpp"
#include "cli/listing.hpp"
#include "cli/output.hpp"

namespace compose::cli {

namespace {

constexpr const char* kName = "default";
constexpr const char* kLocalSocket = "unix:///var/run/docker.sock";

void check_name(const std::string& name) {
    if (name == kName) return;
    throw make_error(ErrorKind::not_found, "context {} not found", quote(name))
        .with_hint("there is one, default: this machine, without a daemon");
}

int list(const std::string& format, bool quiet) {
    Listing listing;
    listing.columns = {
        {"Name", "NAME"}, {"Description", "DESCRIPTION"}, {"DockerEndpoint", "DOCKER ENDPOINT"}, {"Error", "ERROR"}};
    listing.more = {{"Current", "CURRENT"}, {"ContextType", "TYPE"}};
    listing.quiet_field = "Name";
    const bool table = !quiet && (format.empty() || format.starts_with("table"));
    listing.rows.push_back({{"Name", std::string(kName) + (table ? " *" : "")},
                            {"Description", "This machine, without a daemon"},
                            {"DockerEndpoint", ""},
                            {"Error", ""},
                            {"Current", table ? json::value("true") : json::value(true)},
                            {"ContextType", "moby"}});
    print(render_listing(listing, format, quiet));
    return 0;
}

int inspect(const std::vector<std::string>& names, const std::string& format) {
    json::array found;
    for (const auto& name : names.empty() ? std::vector<std::string>{kName} : names) {
        check_name(name);
        found.push_back({{"Name", kName},
                         {"Metadata", json::object{}},
                         {"Endpoints", {{"docker", {{"Host", ""}, {"SkipTLSVerify", false}}}}},
                         {"TLSMaterial", json::object{}},
                         {"Storage", {{"MetadataPath", "<IN MEMORY>"}, {"TLSPath", "<IN MEMORY>"}}}});
    }
    if (format.empty()) {
        print(pretty(found) + "\n");
        return 0;
    }
    for (const auto& one : found)
        print((format == "json" ? json::serialize(one) : Template(unescape_format(format)).render(one.as_object())) +
              "\n");
    return 0;
}

}  // namespace

void check_host(const std::string& host, const char* where) {
    // The usual socket of this machine means this machine.
    if (host.empty() || host == kLocalSocket) return;
    throw make_error(ErrorKind::usage, "{} names {}, and there is no daemon to talk to", where, quote(host))
        .with_hint("containers run on this machine; leave it out");
}

Run define_context_ls(Arguments& arguments) {
    struct Args {
        std::string format;
        bool quiet = false;
    };
    const auto args = std::make_shared<Args>();
    arguments.value("--format", args->format, "FORMAT", "table, json, or a Go template");
    arguments.flag("-q,--quiet", args->quiet, "Names only");
    return [args](Context&) { return list(args->format, args->quiet); };
}

Run define_context_show(Arguments&) {
    return [](Context&) {
        print(std::string(kName) + "\n");
        return 0;
    };
}

Run define_context_inspect(Arguments& arguments) {
    struct Args {
        std::vector<std::string> names;
        std::string format;
    };
    const auto args = std::make_shared<Args>();
    arguments.rest("CONTEXT", args->names);
    arguments.value("-f,--format", args->format, "FORMAT", "json, or a Go template");
    return [args](Context&) { return inspect(args->names, args->format); };
}

Run define_context_use(Arguments& arguments) {
    const auto name = std::make_shared<std::string>();
    arguments.required("CONTEXT", *name);
    return [name](Context&) {
        check_name(*name);
        print(std::string(kName) + "\n");
        return 0;
    };
}

}  // namespace compose::cli
