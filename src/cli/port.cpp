#include <charconv>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/pick.hpp"
#include "cli/project.hpp"
#include "cli/render_table.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::string service, port;
    std::optional<std::string> protocol;
    std::optional<int> index;
};

/// "80/tcp -> 0.0.0.0:8080", each of them.
int list(Context& context, const Args& args) {
    std::string out;
    for (const auto& port :
         pick_container(context, project_name(context), args.service, args.index, Want::existing).publishers)
        if (port.published != 0 && (!args.protocol || port.protocol == lower(*args.protocol)))
            out += fmt::format("{}/{} -> {}{}\n", port.target, port.protocol, address_prefix(port.url), port.published);
    print(out);
    return 0;
}

int run(Context& context, const Args& args) {
    if (args.port.empty()) return list(context, args);
    // "80/udp" says the protocol itself.
    const auto slash = args.port.find('/');
    const auto digits = args.port.substr(0, slash);
    const auto protocol =
        lower(slash == std::string::npos ? args.protocol.value_or("tcp") : args.port.substr(slash + 1));
    unsigned target = 0;
    const auto* end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, target);
    if (read.ec != std::errc{} || read.ptr != end || target == 0 || target > 65535)
        throw make_error(ErrorKind::usage, "{} is not a port number", quote(args.port));
    const auto view = pick_container(context, project_name(context), args.service, args.index, Want::existing);
    for (const auto& port : view.publishers) {
        if (port.target != target || port.protocol != protocol || port.published == 0) continue;
        print(fmt::format("{}{}\n", address_prefix(port.url), port.published));
        return 0;
    }
    const auto published = render_publishers(view.publishers);
    throw make_error(ErrorKind::not_found, "no port {}/{} for container {}{}{}", target, protocol, view.name,
                     published.empty() ? "" : ": ", published);
}

}  // namespace

Run define_port(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text(
        "Where a port of a container is reached from outside: \"0.0.0.0:8080\". Without a port: all of them.");
    arguments.required("SERVICE", args->service);
    arguments.optional("PRIVATE_PORT", args->port);
    arguments.number("--index", args->index, "N", "The container with this number, when the service has several");
    arguments.value("--protocol", args->protocol, "PROTOCOL", "tcp or udp (default tcp; without a port: both)");
    arguments.example("compose port web 80", "the host's address of web's port 80");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
