// container run and container create.
#include "cli/container_run.hpp"

#include <algorithm>
#include <compose/config.hpp>
#include <compose/images.hpp>
#include <compose/objects.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/attach_container.hpp"
#include "cli/by_hand.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/detach_keys.hpp"
#include "cli/docker_settings.hpp"
#include "cli/output.hpp"
#include "cli/run_service.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

/// Docker's exit status for what went wrong before the command could run.
constexpr int kRunFailed = 125;

Standalone read_flags(Context& context, const RunFlags& flags) {
    const std::map<std::string, std::string> environment{context.environment.begin(), context.environment.end()};
    auto standalone =
        make_standalone(flags, {.working_dir = sys::current_directory(),
                                .environment = environment,
                                .read_file = [](const std::string& path) { return sys::read_file(path); }});
    if (flags.on("use-api-socket"))
        if (const auto why = host_support(environment).no_api_socket; !why.empty())
            throw make_error(ErrorKind::usage, "--use-api-socket: {}", why);
    give_api_socket(standalone.project, environment);
    give_proxies(standalone.project, proxy_settings(context));
    return standalone;
}

/// The image is pulled where --pull says so.
RunFacts find_image(Context& context, const RunFlags& flags) {
    const auto policy = flags.value("pull").value_or("missing");
    const auto options = context.engine_options();
    auto facts = run_facts(options, flags.image);
    if (facts.exposed && policy != "always") return facts;
    if (policy == "never")
        throw make_error(ErrorKind::not_found, "unable to find image {} locally", quote(flags.image))
            .with_hint("--pull never keeps it from being pulled");
    if (!facts.exposed && !flags.on("quiet"))
        context.warn(fmt::format("unable to find image {} locally", quote(flags.image)));
    PullOptions pull;
    pull.platform = flags.value("platform").value_or("");
    pull.quiet = flags.on("quiet");
    (void)context.images("pull").pull(flags.image, pull);
    return run_facts(options, flags.image);
}

/// The default network has no names, so links become lines of /etc/hosts, as with Docker. Elsewhere its resolver knows
/// them.
void resolve_links(Containers& containers, Service& service) {
    const bool on_bridge = service.networks.size() == 1 && service.networks[0].network == kBridgeNetwork;
    if (!on_bridge) return;
    for (const auto& link : service.external_links) {
        const auto parts = split(link, ':');
        const auto details = containers.inspect(parts[0]);
        const auto network = std::find_if(details.networks.begin(), details.networks.end(),
                                          [](const auto& other) { return other.name == kBridgeNetwork; });
        if (network == details.networks.end() || network->address.empty())
            throw make_error(ErrorKind::conflict, "cannot link to {}: it is not on the network bridge", parts[0])
                .with_hint("put both on a network of your own: network create NAME");
        service.extra_hosts[parts.back()].push_back(network->address);
        if (parts.back() != details.view.name) service.extra_hosts[details.view.name].push_back(network->address);
    }
    service.external_links.clear();
}

/// -P
void publish_all(const RunFacts& facts, Service& service) {
    auto wanted = facts.exposed.value_or(std::vector<std::string>{});
    wanted.insert(wanted.end(), service.expose.begin(), service.expose.end());
    for (const auto& text : wanted)
        for (auto& port : publish_flag(text)) {
            auto& ports = service.ports;
            const bool given = std::any_of(ports.begin(), ports.end(), [&](const Port& other) {
                return other.target == port.target && other.protocol == port.protocol;
            });
            if (!given) ports.push_back(std::move(port));
        }
}

void make_objects(const Context& context, const Standalone& made, const RunFacts& facts) {
    const auto options = context.engine_options();
    if (!facts.has_bridge && made.project.networks.contains(kBridgeNetwork)) Networks(options).ensure_bridge();
    if (made.volumes.empty()) return;
    Volumes volumes(options);
    for (const auto& [name, wish] : made.volumes) {
        Volume volume;
        volume.name = name;
        volume.driver = wish.driver;
        volume.driver_opts = wish.options;
        volume.labels = wish.labels;
        (void)volumes.create(volume);
    }
}

/// Of what the engine tells while it makes a container, the warnings alone: the rest is Docker's silence.
class Warnings : public EventSink {
public:
    explicit Warnings(Context& context) : context_(context) {}
    void on_event(const Event& event) override {
        if (event.status == Event::Status::warning) context_.warn(event.text);
    }

private:
    Context& context_;
};

/// Written as soon as the id is known; taken back when there is no container after all.
class CidFile {
public:
    explicit CidFile(const std::optional<std::string>& path) : path_(path.value_or("")) {
        if (!path_.empty() && sys::exists(path_))
            throw make_error(ErrorKind::conflict, "container ID file found: {}", quote(path_))
                .with_hint("make sure that the other container is not running, then delete the file");
    }
    void write(const std::string& id) const {
        if (!path_.empty()) sys::replace_file(path_, id);
    }

private:
    std::string path_;
};

bool has_name(Containers& containers, const std::string& name) {
    try {
        return containers.find(name).name == name;
    } catch (const Error&) {
        return false;
    }
}

/// A name that is made up may be taken by chance: then another one is.
std::string create_named(Containers& containers, Standalone& made, CreateOptions& options) {
    const bool given = !options.name.empty();
    for (int attempt = 0;; ++attempt) {
        if (!given) options.name = made_up_name(attempt);
        made.service().container_name = made.service().name = options.name;  // it answers to its name alone
        try {
            return containers.create(kStandaloneProject, made.project, Standalone::kService, options);
        } catch (const Error& error) {
            const bool again = !given && attempt < 5 && error.kind() == ErrorKind::conflict;
            if (!again || !has_name(containers, options.name)) throw;
        }
    }
}

std::string create(Context& context, const RunFlags& flags, Containers& containers) {
    const CidFile file(flags.value("cidfile"));
    auto made = read_flags(context, flags);
    for (const auto& warning : made.warnings) context.warn(warning);
    const auto facts = find_image(context, flags);
    if (flags.on("publish-all")) {
        publish_all(facts, made.service());
        made.service().publish_all = true;
    }
    resolve_links(containers, made.service());
    make_objects(context, made, facts);
    if (flags.on("rm")) made.service().labels[kAutoRemoveLabel] = "true";
    CreateOptions options;
    options.oneoff = options.labels = false;
    options.name = made.service().container_name;
    auto id = create_named(containers, made, options);
    file.write(id);
    return id;
}

AttachChoice choice_of(const RunFlags& flags) {
    AttachChoice choice;
    choice.input = flags.on("interactive");
    choice.sig_proxy = flags.on("sig-proxy");
    if (const auto& keys = flags.value("detach-keys")) choice.detach_keys = *keys;
    const auto& streams = flags.list("attach");
    if (streams.empty()) return choice;
    const auto has = [&](std::string_view name) {
        return std::any_of(streams.begin(), streams.end(), [&](const auto& text) { return lower(text) == name; });
    };
    for (const auto& stream : streams) {
        const auto word = lower(stream);
        if (word != "stdin" && word != "stdout" && word != "stderr")
            throw make_error(ErrorKind::usage, "invalid argument {} for -a", quote(stream))
                .with_hint("use stdin, stdout or stderr");
    }
    choice.input = choice.input && has("stdin");
    choice.out = has("stdout");
    choice.err = has("stderr");
    return choice;
}

/// The container itself goes too when it could not be started and nobody is to look at it.
void remove_quietly(Containers& containers, const std::string& id) {
    try {
        containers.remove(id, true, true);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::not_found) throw;
    }
}

int run_attached(Context& context, const RunFlags& flags, Containers& containers, sys::SignalSet& signals,
                 const std::string& id, bool kill) {
    auto choice = choice_of(flags);
    choice.kill = kill;
    const bool input = choice.input;
    std::optional<int> code;
    try {
        code = attach_container(context, signals, id, containers.start_attached(id, input), choice);
    } catch (...) {
        if (flags.on("rm")) remove_quietly(containers, id);
        throw;
    }
    if (!code) return 0;
    if (flags.on("rm")) remove_quietly(containers, id);
    return *code;
}

int run(Context& context, const RunFlags& flags) {
    context.refuse_dry_run("run");
    const bool detach = flags.on("detach");
    if (detach && !flags.list("attach").empty())
        throw make_error(ErrorKind::usage, "conflicting options: -a and -d").with_exit_code(kRunFailed);
    if (!detach) check_terminal(flags.on("tty"), flags.on("interactive"));
    (void)DetachKeys(flags.value("detach-keys").value_or(""));
    std::optional<sys::SignalSet> signals;
    if (!detach) signals.emplace(attach_signal_numbers());
    Warnings warnings(context);
    const auto containers = context.make_containers(warnings);
    const auto id = create(context, flags, *containers);
    context.finish_progress();
    if (!detach) return run_attached(context, flags, *containers, *signals, id, false);
    try {
        containers->start(id);
    } catch (const Error&) {
        if (flags.on("rm")) remove_quietly(*containers, id);
        throw;
    }
    print(id + "\n");
    return 0;
}

RunFlags flags_of(const std::vector<std::string>& words) {
    RunFlags flags;
    Arguments arguments("container run", "");
    flags.declare(arguments, true);
    (void)arguments.parse(words);
    return flags;
}

}  // namespace

int run_container(Context& context, sys::SignalSet& signals, const std::vector<std::string>& words) {
    const auto flags = flags_of(words);
    Warnings warnings(context);
    const auto containers = context.make_containers(warnings);
    const auto id = create(context, flags, *containers);
    context.finish_progress();
    return run_attached(context, flags, *containers, signals, id, true);
}

std::string create_container(Context& context, const std::vector<std::string>& words) {
    Warnings warnings(context);
    return create(context, flags_of(words), *context.make_containers(warnings));
}

Run define_container_run(Arguments& arguments) {
    const auto flags = std::make_shared<RunFlags>();
    arguments.text(
        "Makes a container of an image and starts it. Exits as its command does; 125 when that could not be tried, "
        "126\n"
        "when the command can't be run, 127 when there is none. Options stand before IMAGE.");
    flags->declare(arguments, true);
    arguments.example("run -it --rm debian bash", "a shell that leaves nothing behind");
    arguments.example("run -d --name web -p 8080:80 nginx", "a server");
    arguments.example("run --rm -v \"$PWD\":/app -w /app node npm test", "a tool, with this folder");
    return [flags](Context& context) { return run(context, *flags); };
}

Run define_container_create(Arguments& arguments) {
    const auto flags = std::make_shared<RunFlags>();
    arguments.text("Makes a container without starting it, and prints its id.");
    flags->declare(arguments, false);
    return [flags](Context& context) {
        context.refuse_dry_run("create");
        Warnings warnings(context);
        const auto containers = context.make_containers(warnings);
        const auto id = create(context, *flags, *containers);
        context.finish_progress();
        print(id + "\n");
        return 0;
    };
}

}  // namespace compose::cli
