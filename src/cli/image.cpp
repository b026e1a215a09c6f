#include <set>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/image_filters.hpp"
#include "cli/image_platform.hpp"
#include "cli/listing.hpp"
#include "cli/output.hpp"
#include "cli/render_table.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

struct ImportArgs {
    std::string file, name, message;
    std::vector<std::string> changes;
};

int run_import(Context& context, const ImportArgs& args) {
    context.refuse_dry_run("image import");
    sys::Fd opened;
    if (args.file != "-") {
        if (sys::is_directory(args.file))
            throw make_error(ErrorKind::usage, "{} is a directory", args.file)
                .with_hint(fmt::format("pack it: tar -C {} -c . | compose image import - {}", args.file, args.name));
        opened = sys::open_for_reading(args.file);
    } else if (sys::is_terminal(sys::FdRef(0))) {
        throw make_error(ErrorKind::usage, "the tar stream is to come from the input, which is a terminal")
            .with_hint("for example: tar -C rootfs -c . | compose image import - NAME");
    }
    const int fd = opened ? opened.get() : 0;
    const auto id = context.engine("import").import_image(fd, args.name, args.changes, args.message);
    context.finish_progress();
    print(id + "\n");
    return 0;
}

struct LsArgs {
    std::string format = "table";
    bool quiet = false, no_trunc = false, digests = false;
    std::vector<std::string> filters;
    ImageListOptions options;
};

std::string shown(const std::string& id, bool whole) {
    return whole ? id : std::string(short_id(std::string_view(id).substr(id.find(':') + 1)));
}

std::string render_ls_json(const std::vector<ImageListing>& views, std::int64_t now, bool whole) {
    std::string out;
    for (const auto& view : views)
        out += json::serialize(json::object{{"Containers", std::to_string(view.containers)},
                                            {"CreatedAt", render_time(view.created_at)},
                                            {"CreatedSince", render_age(view.created_at, now)},
                                            {"Digest", view.digest},
                                            {"ID", shown(view.id, whole)},
                                            {"Repository", view.repository},
                                            {"SharedSize", "N/A"},  // Docker's words: only df -v tells them
                                            {"Size", human_size(view.size)},
                                            {"Tag", view.tag},
                                            {"UniqueSize", "N/A"},
                                            {"VirtualSize", human_size(view.size)}}) +
               "\n";
    return out;
}

std::string render_ls_table(const std::vector<ImageListing>& views, std::int64_t now, const LsArgs& args) {
    std::vector<std::string> header{"REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"};
    if (args.digests) header.insert(header.begin() + 2, "DIGEST");
    Table table(std::move(header));
    for (const auto& view : views) {
        std::vector<std::string> row{view.repository, view.tag, shown(view.id, args.no_trunc),
                                     render_age(view.created_at, now), human_size(view.size)};
        if (args.digests) row.insert(row.begin() + 2, view.digest);
        table.add(std::move(row));
    }
    return table.text();
}

/// `lines`: a JSON object each.
std::string render_ls_template(const std::string& lines, const std::string& format) {
    Listing listing;
    listing.columns = {{"Repository", "REPOSITORY"},
                       {"Tag", "TAG"},
                       {"ID", "IMAGE ID"},
                       {"CreatedSince", "CREATED"},
                       {"Size", "SIZE"},
                       {"Digest", "DIGEST"},
                       {"CreatedAt", "CREATED AT"},
                       {"Containers", "CONTAINERS"},
                       {"VirtualSize", "VIRTUAL SIZE"},
                       {"SharedSize", "SHARED SIZE"},
                       {"UniqueSize", "UNIQUE SIZE"}};
    listing.raw =
        "repository: {{.Repository}}\ntag: {{.Tag}}\nimage_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\n"
        "virtual_size: {{.Size}}\n";
    for (const auto& line : split(lines, '\n'))
        if (!line.empty()) listing.rows.push_back(parse_json(line).as_object());
    return render_listing(listing, format, false);
}

int run_ls(Context& context, LsArgs args) {
    args.options.filters = parse_filters(args.filters);
    const auto views = context.images().list(args.options);
    const auto now = sys::wall_now().time_since_epoch().count();
    std::string out;
    if (args.format != "table" && args.format != "json") {
        out = render_ls_template(render_ls_json(views, now, args.no_trunc), args.format);
    } else if (args.quiet && args.format == "table") {
        std::set<std::string> seen;
        for (const auto& view : views)
            if (seen.insert(view.id).second) out += shown(view.id, args.no_trunc) + "\n";
    } else {
        out = args.format == "json" ? render_ls_json(views, now, args.no_trunc) : render_ls_table(views, now, args);
    }
    print(out);
    return 0;
}

struct RmArgs {
    std::vector<std::string> names;
    std::string platform;
    bool force = false, no_prune = false;
};

/// Every name is tried; the first failure decides the exit status.
int run_rm(Context& context, const RmArgs& args) {
    context.refuse_dry_run("image rm");
    int status = 0;
    for (const auto& name : args.names) {
        try {
            std::string out;
            check_platform(context, name, args.platform);
            for (const auto& line : context.images().remove(name, args.force, args.no_prune)) out += line + "\n";
            print(out);
        } catch (const Error& error) {
            print_error(labelled("error", error.what(), error.hint(), context.color_err));
            status = error.exit_code();
        }
    }
    return status;
}

}  // namespace

Run define_image_import(Arguments& arguments) {
    const auto args = std::make_shared<ImportArgs>();
    arguments.text("The tar file may be plain or compressed with gzip, zstd, xz or bzip2. The image has one layer.");
    arguments.required("FILE|-", args->file);
    arguments.required("NAME[:TAG]", args->name);
    arguments.list("-c,--change", args->changes, "INSTRUCTION",
                   "Set CMD, ENTRYPOINT, ENV, EXPOSE, USER, ... as a Dockerfile does");
    arguments.value("-m,--message", args->message, "TEXT", "A remark to keep with it");
    arguments.refuse("--platform", "what is imported is taken for this machine's");
    arguments.example("mmdebstrap --variant=minbase bookworm - | compose image import - debian:bookworm",
                      "a Debian base image");
    arguments.example("compose image import -c 'CMD [\"/app\"]' app.tar app", "with a command to run");
    return [args](Context& context) { return run_import(context, *args); };
}

Run define_image_ls(Arguments& arguments) {
    const auto args = std::make_shared<LsArgs>();
    arguments.optional("NAME[:TAG]", args->options.reference);
    arguments.flag("-a,--all", args->options.all, "Accepted for scripts: there are no intermediate images");
    arguments.flag("-q,--quiet", args->quiet, "Show ids only");
    arguments.flag("--digests", args->digests, "Show what registries call them");
    arguments.list("-f,--filter", args->filters, "KEY=VALUE", "dangling, label, before, since, until or reference");
    arguments.value("--format", args->format, "FORMAT", "table, json, or a Go template: '{{.Repository}}:{{.Tag}}'");
    arguments.flag("--no-trunc", args->no_trunc, "Show ids whole");
    arguments.refuse("--tree", "an image here is of one platform, so there is no tree");
    return [args](Context& context) { return run_ls(context, *args); };
}

Run define_image_rm(Arguments& arguments) {
    const auto args = std::make_shared<RmArgs>();
    arguments.rest("IMAGE", args->names, true);
    arguments.flag("-f,--force", args->force, "Even if it has several names");
    arguments.flag("--no-prune", args->no_prune, "Keep the layers for the next time");
    define_platform(arguments, args->platform);
    return [args](Context& context) { return run_rm(context, *args); };
}

}  // namespace compose::cli
