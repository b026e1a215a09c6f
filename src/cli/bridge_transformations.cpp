// bridge transformations: the images that `bridge convert` runs, and the beginning of one's own.
#include <compose/bridge.hpp>
#include <compose/containers.hpp>
#include <compose/images.hpp>
#include <set>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"
#include "cli/arguments.hpp"
#include "cli/bridge.hpp"
#include "cli/by_hand.hpp"
#include "cli/commands.hpp"
#include "cli/container_run.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/render_table.hpp"
#include "sys/file.hpp"

namespace compose::cli {

namespace {

/// What runs templates, without any of its own. Other images are built upon as they are.
constexpr const char* kBareTransformer = "docker/compose-bridge-transformer";

std::string dockerfile(const std::string& from) {
    const auto base = from == kDefaultTransformation ? std::string(kBareTransformer) : from;
    return fmt::format("FROM {}\nLABEL {}=transformation\nCOPY templates /templates\n", base, kTransformationLabel);
}

/// Removed again, whatever happens.
class UnstartedContainer {
public:
    UnstartedContainer(Context& context, const std::string& image)
        : containers_(make_containers(context)), id_(create_container(context, {"--", image})) {}
    ~UnstartedContainer() {
        try {
            containers_->remove(id_, true, true);
        } catch (const Error&) {  // `container ls -a` shows it
        }
    }
    UnstartedContainer(const UnstartedContainer&) = delete;
    UnstartedContainer& operator=(const UnstartedContainer&) = delete;
    [[nodiscard]] std::vector<std::string> templates_to(const std::string& folder) {
        return copy_templates(*containers_, id_, folder);
    }

private:
    std::unique_ptr<Containers> containers_;
    std::string id_;
};

int create(Context& context, const std::string& path, const std::string& from) {
    const auto folder = sys::absolute_path(path);
    if (sys::exists_no_follow(folder))
        throw make_error(ErrorKind::conflict, "{} exists already", quote(path)).with_hint("give a path that is free");
    if (context.only_say("Transformation " + folder, "Created")) return 0;
    UnstartedContainer container(context, from);
    std::vector<std::string> left_out;
    try {
        left_out = container.templates_to(folder);
    } catch (Error& error) {
        if (error.kind() == ErrorKind::not_found)
            error.with_hint(fmt::format("{} must have a folder /templates", from));
        throw;
    }
    warn_left_out(context, left_out);
    context.finish_progress();
    sys::write_file(folder + "/Dockerfile", dockerfile(from));
    print(fmt::format("Transformer created in {}\n", quote(folder)));
    return 0;
}

struct Transformation {
    ImageListing first;
    std::vector<std::string> names;
};

/// One an image, in the order of their names.
std::vector<Transformation> find_transformations(Context& context) {
    ImageListOptions options;
    options.filters = {{"label", std::string(kTransformationLabel) + "=transformation"}};
    std::vector<Transformation> out;
    for (const auto& view : context.images().list(options)) {
        const auto same =
            std::find_if(out.begin(), out.end(), [&](const auto& one) { return one.first.id == view.id; });
        auto& one = same == out.end() ? out.emplace_back(Transformation{view, {}}) : *same;
        if (view.tag != "<none>") one.names.push_back(view.repository + ":" + view.tag);
    }
    return out;
}

json::object as_json(const Transformation& one) {
    return {{"Id", one.first.id},
            {"RepoTags", json::array(one.names.begin(), one.names.end())},
            {"Created", one.first.created_at / 1'000'000'000},
            {"Size", one.first.size},
            {"Containers", one.first.containers},
            {"Labels", json::value_from(one.first.labels)}};
}

int list(Context& context, const std::string& format, bool quiet) {
    if (format != "table" && format != "json")
        throw make_error(ErrorKind::usage, "invalid value {} for --format", quote(format))
            .with_hint("use table or json");
    const auto found = find_transformations(context);
    std::string out;
    if (quiet) {
        for (const auto& one : found) out += (one.names.empty() ? one.first.id : one.names.front()) + "\n";
    } else if (format == "json") {
        json::array all;
        for (const auto& one : found) all.push_back(as_json(one));
        out = json::serialize(all) + "\n";
    } else {
        Table table({"IMAGE ID", "REPO", "TAGS", "SIZE"});
        for (const auto& one : found)
            table.add({std::string(short_id(std::string_view(one.first.id).substr(one.first.id.find(':') + 1))),
                       one.first.repository, one.first.tag, human_size(one.first.size)});
        out = table.text();
    }
    print(out);
    return 0;
}

}  // namespace

Run define_bridge_create(Arguments& arguments) {
    struct Args {
        std::string path, from = kDefaultTransformation;
    };
    const auto args = std::make_shared<Args>();
    arguments.text(
        "Copies the templates out of a transformation into the new folder PATH, with a Dockerfile that makes an image\n"
        "of them: change the templates, build it, and give it to 'bridge convert -t'.");
    arguments.required("PATH", args->path);
    arguments.value("-f,--from", args->from, "IMAGE",
                    "Transformation to start from (default docker/compose-bridge-kubernetes)");
    arguments.example("compose bridge transformations create mine", "then: compose image build -t mine mine");
    return [args](Context& context) { return create(context, args->path, args->from); };
}

Run define_bridge_list(Arguments& arguments) {
    struct Args {
        std::string format = "table";
        bool quiet = false;
    };
    const auto args = std::make_shared<Args>();
    arguments.text("Images with the label com.docker.compose.bridge=transformation.");
    arguments.value("--format", args->format, "FORMAT", "table or json");
    arguments.flag("-q,--quiet", args->quiet, "Show names only");
    return [args](Context& context) { return list(context, args->format, args->quiet); };
}

}  // namespace compose::cli
