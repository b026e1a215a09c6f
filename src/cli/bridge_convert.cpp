// bridge convert: the model goes to /in of a transformation's container, which writes what it makes of it to /out. Both
// are parts of a volume of ours: what a stranger's image writes comes to the user's folder through replace_files()
// only, and only when all has gone well.
#include <compose/bridge.hpp>
#include <compose/objects.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/attach_container.hpp"
#include "cli/bridge.hpp"
#include "cli/commands.hpp"
#include "cli/container_run.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/project.hpp"
#include "cli/question.hpp"
#include "sys/clock.hpp"
#include "sys/env.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::string output = "out", templates;
    std::vector<std::string> transformations;
    bool yes = false;
};

class ScratchVolume {
public:
    explicit ScratchVolume(const EngineOptions& options) : volumes_(options) {
        Volume volume;
        volume.name = "compose-bridge-" + sys::random_id().substr(0, 12);
        name_ = volumes_.create(volume);
        folder_ = volumes_.find(name_).mountpoint;
    }
    ~ScratchVolume() {
        try {
            volumes_.remove(name_);
        } catch (const Error&) {  // `volume ls` shows it
        }
    }
    ScratchVolume(const ScratchVolume&) = delete;
    ScratchVolume& operator=(const ScratchVolume&) = delete;
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::string& folder() const { return folder_; }

private:
    Volumes volumes_;
    std::string name_, folder_;
};

/// A built image need not be here yet: only the ports that its Dockerfile exposes are missing then.
std::vector<std::string> exposed_ports(Context& context, const Project& project, const Service& service) {
    const auto& image = service.image;
    const bool named = !service.build || image != project.name + "-" + service.name;
    const auto options = context.engine_options();
    auto facts = run_facts(options, image);
    if (!facts.exposed && named) {
        try {
            PullOptions pull;
            pull.platform = service.platform;
            (void)context.images("bridge").pull(image, pull);
        } catch (const Error&) {
            if (!service.build) throw;
        }
        facts = run_facts(options, image);
    }
    if (!facts.exposed)
        context.warn(fmt::format("the image {} of service {} is not here: ports that it exposes are left out", image,
                                 service.name),
                     fmt::format("build it first: compose build {}", service.name));
    return facts.exposed.value_or(std::vector<std::string>{});
}

std::map<std::string, std::string> contents(const std::map<std::string, FileObject>& objects, const char* kind) {
    std::map<std::string, std::string> out;
    for (const auto& [key, object] : objects) {
        if (object.external) continue;
        if (object.content)
            out[key] = *object.content;
        else if (!object.file.empty())
            out[key] = in_context([&, &name = key] { return fmt::format("{} {}", kind, name); },
                                  [&, &file = object.file] { return sys::read_file(file); });
    }
    return out;
}

BridgeFacts find_facts(Context& context, const Project& project) {
    BridgeFacts facts;
    for (const auto& [name, service] : project.services)
        if (!service.provider) facts.exposed[name] = exposed_ports(context, project, service);
    facts.configs = contents(project.configs, "config");
    facts.secrets = contents(project.secrets, "secret");
    return facts;
}

bool lies_in(const std::string& path, const std::string& folder) {
    return path == folder || folder == "/" || path.starts_with(folder + "/");
}

/// Everything in the output folder will go, so nothing that the user works with may lie there.
void check_output(const Context& context, const Project& project, const std::string& folder,
                  const std::string& templates) {
    if (!sys::exists(folder)) return;
    const auto real = sys::real_path(folder);
    auto precious = project.config_files;
    precious.insert(precious.end(), {sys::current_directory(), context.variable("HOME"), templates,
                                     host_description(context.engine_options()).state_folder});
    for (const auto& path : precious)
        if (path != "-" && !path.empty() && sys::exists(path) && lies_in(sys::real_path(path), real))
            throw make_error(ErrorKind::usage, "--output {}: all that is in it would be removed, {} too", quote(folder),
                             path)
                .with_hint("give a folder of its own");
}

bool may_replace(const Args& args, const std::string& folder) {
    if (!has_files(folder) || args.yes) return true;
    return ask(fmt::format("Output directory '{}' is not empty, all its content will be permanently deleted. Continue?",
                           folder),
               false);
}

/// A field of --mount, which is CSV.
std::string source_field(const std::string& path) {
    std::string out = "\"source=";
    for (const char c : path) out += c == '"' ? "\"\"" : std::string(1, c);
    return out + "\"";
}

int transform(Context& context, sys::SignalSet& signals, const std::string& image, const ScratchVolume& volume,
              const std::string& templates) {
    const auto part = [&](const char* name) {
        return fmt::format("--mount=type=volume,source={0},volume-nocopy,volume-subpath={1},target=/{1}", volume.name(),
                           name);
    };
    std::vector<std::string> words{"--rm", "--pull=never", "--env=LICENSE_AGREEMENT=true"};
    words.push_back(fmt::format("--user={}", sys::effective_user()));
    words.push_back(part("in") + ",readonly");
    words.push_back(part("out"));
    if (!templates.empty()) words.push_back("--mount=type=bind,readonly,target=/templates," + source_field(templates));
    words.insert(words.end(), {"--", image});
    const int code = run_container(context, signals, words);
    if (code != 0)
        print_error(labelled("error", fmt::format("the transformation {} exited with {}", image, code),
                             "the output folder is as it was", context.color_err));
    return code;
}

std::string folder_argument(const char* flag, const std::string& text) {
    if (text.empty()) return "";
    if (!sys::is_directory(text))
        throw make_error(ErrorKind::usage, "{} {}: there is no such folder", flag, quote(text));
    return sys::real_path(text);
}

int run(Context& context, const Args& args) {
    if (args.output.empty()) throw make_error(ErrorKind::usage, "--output is empty");
    const auto templates = folder_argument("--templates", args.templates);
    const auto output = sys::absolute_path(args.output);
    auto images = args.transformations;
    if (images.empty()) images.emplace_back(kDefaultTransformation);
    Diagnostics findings;
    const auto loaded = load(context, make_load_request(context), findings);
    check_output(context, loaded.project, output, templates);
    if (context.globals.dry_run) {
        for (const auto& image : images) (void)context.only_say("Transformation " + image, "Applied");
        return 0;
    }
    if (!may_replace(args, output))
        throw make_error("deletion of output directory {} was not confirmed", quote(args.output))
            .with_hint("--yes answers for you");
    for (const auto& image : images)  // before anything is made that an interrupted pull would leave behind
        if (!image_details(context.engine_options(), image)) (void)context.images("bridge").pull(image, {});
    const auto model = bridge_model(loaded, find_facts(context, loaded.project));
    context.finish_progress();
    sys::SignalSet signals(attach_signal_numbers());  // from here on nothing may be left behind
    const ScratchVolume volume(context.engine_options());
    sys::make_directory(volume.folder() + "/in", 0755);
    sys::make_directory(volume.folder() + "/out", 0755);
    sys::write_file(volume.folder() + "/in/compose.yaml", model, 0600);
    for (const auto& image : images)
        if (const int code = transform(context, signals, image, volume, templates); code != 0) return code;
    warn_left_out(context, replace_files(volume.folder() + "/out", output));
    return 0;
}

}  // namespace

void warn_left_out(Context& context, const std::vector<std::string>& paths) {
    constexpr std::size_t kMost = 20;  // a stranger decides how many there are
    for (std::size_t i = 0; i < std::min(paths.size(), kMost); ++i)
        context.warn(fmt::format("{} is left out: no file, no folder, and no link to one beside it", quote(paths[i])));
    if (paths.size() > kMost) context.warn(fmt::format("{} more are left out, too", paths.size() - kMost));
}

Run define_bridge_convert(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text(
        "Runs images that turn the resolved model into files of another platform, one after the other: each reads\n"
        "/in/compose.yaml and writes to /out. The output folder holds nothing but the result then.");
    arguments.value("-o,--output", args->output, "DIR", "Where the files go (default out)");
    arguments.list("-t,--transformation", args->transformations, "IMAGE",
                   "What to run (default docker/compose-bridge-kubernetes)");
    arguments.value("--templates", args->templates, "DIR", "Templates in place of the image's own, at /templates");
    arguments.flag("-y,--yes", args->yes, "Replace what is in the output folder without asking");
    arguments.example("compose bridge convert", "Kubernetes manifests in ./out");
    arguments.example("compose bridge convert -t my/helm-charts -o charts", "with a transformation of your own");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
