#include <compose/objects.hpp>
#include <set>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/listing.hpp"
#include "cli/output.hpp"
#include "cli/project.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::vector<std::string> services;
    std::string format;
    bool quiet = false;
};

int run(Context& context, const Args& args) {
    const auto project = project_name(context);
    std::set<std::string> users;  // container names
    if (!args.services.empty())
        for (const auto& view : containers_of(context, project, args.services)) users.insert(view.name);
    Listing out;
    out.columns = {{"Driver", "DRIVER"}, {"Name", "VOLUME NAME"}};
    out.more = {{"Availability", "AVAILABILITY"}, {"Group", "GROUP"}, {"Labels", "LABELS"}, {"Links", "LINKS"},
                {"Mountpoint", "MOUNTPOINT"},     {"Scope", "SCOPE"}, {"Size", "SIZE"},     {"Status", "STATUS"}};
    out.quiet_field = "Name";
    out.raw = "name: {{.Name}}\ndriver: {{.Driver}}\n";
    for (const auto& volume : Volumes(context.engine_options()).list()) {
        if (volume.project != project || volume.anonymous) continue;
        const bool used = std::any_of(volume.users.begin(), volume.users.end(),
                                      [&](const std::string& name) { return users.contains(name); });
        if (!args.services.empty() && !used) continue;
        out.rows.push_back({{"Availability", "N/A"},
                            {"Driver", volume.driver},
                            {"Group", "N/A"},
                            {"Labels", labels_text(volume.labels)},
                            {"Links", "N/A"},
                            {"Mountpoint", volume.mountpoint},
                            {"Name", volume.name},
                            {"Scope", "local"},
                            {"Size", "N/A"},
                            {"Status", "N/A"}});
    }
    print(render_listing(out, args.format, args.quiet));
    return 0;
}

}  // namespace

Run define_volumes(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text("Named volumes of the project; with services, those that their containers use.");
    arguments.rest("SERVICE", args->services);
    arguments.value("--format", args->format, "FORMAT", "table, json, or a Go template");
    arguments.flag("-q,--quiet", args->quiet, "Show names only");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
