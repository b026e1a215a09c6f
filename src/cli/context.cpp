#include "cli/context.hpp"

#include <charconv>
#include <compose/local_files.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/output.hpp"
#include "cli/project.hpp"
#include "cli/remembering_files.hpp"
#include "sys/file.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

constexpr int kDefaultParallel = 8;
constexpr int kUnlimitedParallel = 64;  // beyond this, threads only wait for each other

bool is_true(const std::string& value) {
    const auto text = lower(value);
    return text == "1" || text == "t" || text == "true" || text == "yes" || text == "on";
}

bool use_color(const std::string& ansi, int fd, const sys::Environment& environment) {
    if (ansi == "never") return false;
    if (const auto no_color = environment.find("NO_COLOR"); no_color != environment.end() && !no_color->second.empty())
        return false;
    if (ansi == "always") return true;
    const auto term = environment.find("TERM");
    return sys::is_terminal(sys::FdRef(fd)) && (term == environment.end() || term->second != "dumb");
}

std::string one_of(const std::string& value, const char* flag, std::initializer_list<std::string_view> allowed) {
    if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return value;
    const std::vector<std::string> names(allowed.begin(), allowed.end());
    throw make_error(ErrorKind::usage, "invalid value {} for {}", quote(value), flag)
        .with_hint("use one of " + join(names, ", "));
}

ProgressMode choose_mode(const std::string& name, bool color, int fd) {
    if (name == "tty") return ProgressMode::tty;
    if (name == "plain") return ProgressMode::plain;
    if (name == "json") return ProgressMode::json;
    if (name == "quiet") return ProgressMode::quiet;
    return sys::is_terminal(sys::FdRef(fd)) && color ? ProgressMode::tty : ProgressMode::plain;
}

// Docker Compose's settings may stand in .env. Where root keeps its state, no project says.
sys::Environment with_settings_of_dotenv(const Globals& globals, sys::Environment variables) {
    LoadRequest request;
    request.files = globals.files;
    request.project_directory = globals.project_directory;
    request.env_files = globals.env_files;
    request.environment = variables;
    request.working_directory = sys::current_directory();
    const auto files = make_local_files();
    for (auto& [key, value] : find_environment(request, *files))
        if (key.starts_with("COMPOSE_") && key != "COMPOSE_STATE_DIR" && key != "COMPOSE_RUN_DIR" &&
            key != "COMPOSE_ENV_FILES")
            variables.emplace(key, value);
    return variables;
}

}  // namespace

void define_globals(Arguments& arguments, Globals& globals) {
    arguments.list(
        "-f,--file", globals.files, "PATH",
        "Compose file, or the address of one (oci://..., https://...git#ref:folder); '-' is stdin; several add up");
    arguments.value("-p,--project-name", globals.project_name, "NAME", "Project name");
    arguments.value("--project-directory", globals.project_directory, "DIR",
                    "Folder that relative paths start from (default: that of the first Compose file)");
    arguments.list("--env-file", globals.env_files, "PATH", "File of variables for ${...}, instead of .env");
    arguments.list("--profile", globals.profiles, "NAME", "Profile to enable; '*' enables all");
    arguments.value("--progress", globals.progress, "KIND", "Progress as auto, tty, plain, json or quiet");
    arguments.value("--ansi", globals.ansi, "WHEN", "Colours and cursor movement: auto, always or never");
    arguments.flag("--dry-run", globals.dry_run, "Show what would be done and change nothing");
    arguments.number("--parallel", globals.parallel, "N", "How many things to do at once (default 8, -1: no limit)");
    arguments.list("--insecure-registry", globals.insecure_registries, "HOST",
                   "Registry whose Compose files may come without TLS, or with a certificate that nobody vouches for");
    arguments.flag("--all-resources", globals.all_resources, "Include networks and volumes that no service uses");
    arguments.flag("--compatibility", globals.compatibility, "Names with \"_\" between their parts, as Compose V1 had");
    arguments.flag("-D,--debug", globals.debug, "Log decisions and kernel calls to stderr");
    arguments.flag("-v,--version", globals.version, "Show the version");
    // What Docker Compose takes and does not show.
    arguments.old_name("--workdir", "--project-directory", true);
    arguments.old_name("--no-ansi", "--ansi=never", true);
    arguments.old_name("--verbose", "--debug");
}

Context::Context(Globals given, sys::Environment variables, std::string line)
    : globals(std::move(given)),
      environment(with_settings_of_dotenv(globals, std::move(variables))),
      command_line(std::move(line)) {
    const auto ansi_variable = variable("COMPOSE_ANSI");
    const auto ansi = one_of(globals.ansi.value_or(ansi_variable.empty() ? "auto" : ansi_variable), "--ansi",
                             {"auto", "always", "never"});
    color_out = use_color(ansi, 1, environment);
    color_err = use_color(ansi, 2, environment);
    const auto progress_variable = variable("COMPOSE_PROGRESS");
    auto wanted = globals.progress.value_or(progress_variable.empty() ? "auto" : progress_variable);
    if (wanted == "none") wanted = "quiet";  // its old name
    const auto name = one_of(wanted, "--progress", {"auto", "tty", "plain", "json", "quiet"});
    const bool to_stdout = variable_is_true("COMPOSE_STATUS_STDOUT");
    progress_mode = choose_mode(name, to_stdout ? color_out : color_err, to_stdout ? 1 : 2);
}

Context::~Context() = default;

std::map<std::string, std::string> Context::project_environment() {
    return find_environment(make_load_request(*this), files());
}

std::string Context::variable(const std::string& name) const {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
}

bool Context::variable_is_true(const std::string& name) const {
    return is_true(variable(name));
}

Progress& Context::progress(const std::string& title) {
    if (!progress_) {
        const bool to_stdout = variable_is_true("COMPOSE_STATUS_STDOUT");
        progress_ = make_progress({.mode = progress_mode,
                                   .color = to_stdout ? color_out : color_err,
                                   .dry_run = globals.dry_run,
                                   .to_stdout = to_stdout,
                                   .title = title});
    }
    return *progress_;
}

void Context::finish_progress() {
    if (progress_) progress_->finish();
}

EngineOptions Context::engine_options() const {
    int parallel = globals.parallel.value_or(kDefaultParallel);
    if (const auto text = variable("COMPOSE_PARALLEL_LIMIT"); !globals.parallel && !text.empty()) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parallel);
        if (error != std::errc{} || end != text.data() + text.size())
            throw make_error(ErrorKind::usage, "COMPOSE_PARALLEL_LIMIT is {}, not a whole number", quote(text));
    }
    return {.state_dir = variable("COMPOSE_STATE_DIR"),
            .run_dir = variable("COMPOSE_RUN_DIR"),
            .command = command_line,
            .parallel = parallel < 1 ? kUnlimitedParallel : parallel,
            .dry_run = globals.dry_run};
}

std::unique_ptr<Engine> Context::make_engine(EventSink& events) const {
    return std::make_unique<Engine>(engine_options(), events);
}

std::unique_ptr<Containers> Context::make_containers(EventSink& events) const {
    return std::make_unique<Containers>(engine_options(), events);
}

Containers& Context::containers(const std::string& title) {
    if (!containers_) containers_ = make_containers(progress(title));
    return *containers_;
}

Images& Context::images(const std::string& title) {
    if (!images_) images_ = std::make_unique<Images>(engine_options(), progress(title));
    return *images_;
}

Engine& Context::engine(const std::string& title) {
    if (!engine_) engine_ = make_engine(progress(title));
    return *engine_;
}

sys::Environment Context::registry_environment() const {
    auto out = environment;
    auto& list = out["COMPOSE_INSECURE_REGISTRIES"];
    for (const auto& host : globals.insecure_registries) list += (list.empty() ? "" : ",") + host;
    return out;
}

FileSource& Context::files() {
    if (!files_) files_ = std::make_unique<RememberingFiles>(registry_environment());
    return *files_;
}

std::string Context::address_of(const std::string& file) const {
    return files_ ? files_->address_of(file) : std::string();
}

std::vector<std::string> Context::addresses_of_strangers() const {
    return files_ ? files_->addresses_of_strangers() : std::vector<std::string>();
}

void Context::warn(const std::string& message, const std::string& hint) {
    Event event;
    event.status = Event::Status::warning;
    event.text = message;
    event.details = hint;
    progress("").on_event(event);
}

void Context::refuse_dry_run(const char* command) const {
    if (globals.dry_run)
        throw make_error(ErrorKind::usage, "{} has no dry run", command).with_hint("run it without --dry-run");
}

bool Context::only_say(const std::string& id, const std::string& text) {
    if (!globals.dry_run) return false;
    progress("").on_event({Event::Status::done, id, text, {}, 0, 0});
    return true;
}

void Context::say_and_do(const std::string& id, const std::string& doing, const std::string& done,
                         const std::function<void()>& action) {
    auto& sink = progress("");
    sink.on_event({Event::Status::working, id, doing, {}, 0, 0});
    try {
        if (!globals.dry_run) action();
    } catch (const Error& error) {
        sink.on_event({Event::Status::error, id, "Error", error.what(), 0, 0});
        throw;
    }
    sink.on_event({Event::Status::done, id, done, {}, 0, 0});
}

}  // namespace compose::cli
