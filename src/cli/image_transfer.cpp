// `compose image pull|push`, `compose login|logout`: one image, one registry.
#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/image_platform.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "sys/fd.hpp"
#include "sys/file.hpp"
#include "sys/poll.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

constexpr std::size_t kMaxPassword = std::size_t{64} << 10U;

struct TransferArgs {
    std::string name, platform;
    PullOptions pull;
    bool content_trust = true;
};

void check_trust(const TransferArgs& args) {
    if (!args.content_trust)
        throw make_error(ErrorKind::usage,
                         "signatures of images are not checked: --disable-content-trust can't be false");
}

int run_pull(Context& context, const TransferArgs& args) {
    check_trust(args);
    context.refuse_dry_run("image pull");
    return run_interruptible(context, [&](const std::stop_token& cancel) {
        const auto digests = context.images("pull").pull(args.name, args.pull, cancel);
        context.finish_progress();
        if (args.pull.quiet) {
            print(args.name + "\n");
            return 0;
        }
        std::string out;
        for (const auto& digest : digests) out += "Digest: " + digest + "\n";
        print(out);
        return 0;
    });
}

int run_push(Context& context, const TransferArgs& args) {
    check_trust(args);
    context.refuse_dry_run("image push");
    check_platform(context, args.name, args.platform);
    return run_interruptible(context, [&](const std::stop_token& cancel) {
        const auto lines = context.images("push").push(args.name, args.pull.all_tags, args.pull.quiet, cancel);
        context.finish_progress();
        std::string out;
        for (const auto& line : lines) out += line + "\n";
        print(args.pull.quiet ? args.name + "\n" : out);
        return 0;
    });
}

struct LoginArgs {
    LoginOptions options;
    bool password_stdin = false;
    std::string registry;
};

std::string read_line(const char* prompt, bool secret) {
    if (!sys::is_terminal(sys::FdRef(0)))
        throw make_error(ErrorKind::usage, "the input is no terminal to ask for {} at", prompt)
            .with_hint("give the name with -u, and the password with --password-stdin");
    print_error(std::string(prompt) + ": ");
    std::optional<sys::RawMode> raw;
    if (secret) raw.emplace(sys::FdRef(0));
    std::string line;
    for (;;) {
        char byte = 0;
        if (sys::read_some(sys::FdRef(0), {&byte, 1}).value_or(0) == 0 || byte == '\n' || byte == '\r') break;
        if (secret && (byte == '\x03' || byte == '\x04')) throw Exit{130};
        if (secret && (byte == '\x7f' || byte == '\b')) {
            if (!line.empty()) line.pop_back();
            continue;
        }
        line += byte;
    }
    raw.reset();
    if (secret) print_error("\n");
    return line;
}

int run_login(Context& context, LoginArgs args) {
    context.refuse_dry_run("login");
    auto& options = args.options;
    options.registry = args.registry;
    if (args.password_stdin) {
        if (!options.password.empty())
            throw make_error(ErrorKind::usage, "--password and --password-stdin exclude each other");
        if (options.user.empty()) throw make_error(ErrorKind::usage, "--password-stdin needs --username");
        options.password = sys::read_all(sys::FdRef(0), kMaxPassword);
        while (options.password.ends_with('\n') || options.password.ends_with('\r')) options.password.pop_back();
    } else if (!options.password.empty()) {
        context.warn("a password on the command line can be seen by others", "use --password-stdin");
    }
    if (options.user.empty()) options.user = context.images().stored_user(options.registry);
    if (options.user.empty()) options.user = read_line("Username", false);
    if (options.password.empty() && !args.password_stdin) options.password = read_line("Password", true);
    if (options.user.empty() || options.password.empty())
        throw make_error(ErrorKind::usage, "a name and a password are needed");
    return run_interruptible(context, [&](const std::stop_token& cancel) {
        const auto where = context.images("login").login(options, cancel);
        context.finish_progress();
        if (where.starts_with('/'))
            context.warn("the password is stored unencrypted in " + where,
                         "configure a credential helper to keep it safe");
        print("Login Succeeded\n");
        return 0;
    });
}

int run_logout(Context& context, const std::string& registry) {
    context.refuse_dry_run("logout");
    const auto shown = registry.empty() ? std::string("docker.io") : registry;
    if (context.images().logout(registry))
        print(fmt::format("Removing login credentials for {}\n", shown));
    else
        print(fmt::format("Not logged in to {}\n", shown));
    return 0;
}

}  // namespace

Run define_image_pull(Arguments& arguments) {
    const auto args = std::make_shared<TransferArgs>();
    arguments.required("NAME[:TAG|@DIGEST]", args->name);
    arguments.flag("-a,--all-tags", args->pull.all_tags, "All tags of the repository");
    arguments.value("--platform", args->pull.platform, "PLATFORM", "Another machine's image: linux/arm64");
    arguments.flag("-q,--quiet", args->pull.quiet, "Show the name only");
    arguments.flag("--disable-content-trust", args->content_trust, "Accepted for scripts; signatures are not checked");
    return [args](Context& context) { return run_pull(context, *args); };
}

Run define_image_push(Arguments& arguments) {
    const auto args = std::make_shared<TransferArgs>();
    arguments.required("NAME[:TAG]", args->name);
    arguments.flag("-a,--all-tags", args->pull.all_tags, "All tags of the repository");
    arguments.flag("-q,--quiet", args->pull.quiet, "Show the name only");
    define_platform(arguments, args->platform);
    arguments.flag("--disable-content-trust", args->content_trust, "Accepted for scripts; images are not signed");
    return [args](Context& context) { return run_push(context, *args); };
}

Run define_login(Arguments& arguments) {
    const auto args = std::make_shared<LoginArgs>();
    arguments.optional("REGISTRY", args->registry);
    arguments.value("-u,--username", args->options.user, "NAME", "The user's name");
    arguments.value("-p,--password", args->options.password, "PASSWORD", "The password, for all to see");
    arguments.flag("--password-stdin", args->password_stdin, "Take the password from the input");
    arguments.example("pass show registry | compose login -u me --password-stdin registry.example.com", "for scripts");
    return [args](Context& context) { return run_login(context, *args); };
}

Run define_logout(Arguments& arguments) {
    const auto registry = std::make_shared<std::string>();
    arguments.optional("REGISTRY", *registry);
    return [registry](Context& context) { return run_logout(context, *registry); };
}

}  // namespace compose::cli
