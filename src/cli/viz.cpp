// alpha viz: services and what they depend on as a Graphviz graph.
#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/project.hpp"

namespace compose::cli {

namespace {

struct Args {
    bool image = false, networks = false, ports = false, spaces = false;
    std::optional<int> indentation;
};

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '"' || c == '\\' || c == '<' || c == '>' || c == '{' || c == '}' || c == '|') out += '\\';
        out += c;
    }
    return out;
}

std::string port_text(const Port& port) {
    std::string out = port.host_ip.empty() ? "" : port.host_ip + ":";
    if (port.published_first != 0) out += fmt::format("{}:", port.published_first);
    return out + fmt::format("{}/{}", port.target, port.protocol);
}

int run(Context& context, const Args& args) {
    if (args.indentation && *args.indentation < 0)
        throw make_error(ErrorKind::usage, "--indentation-size can't be negative");
    const std::string indent(static_cast<std::size_t>(args.indentation.value_or(1)), args.spaces ? ' ' : '\t');
    Diagnostics findings;
    const auto loaded = load(context, make_load_request(context), findings);
    const auto& project = loaded.project;
    std::string out = fmt::format("digraph \"{}\" {{\n{}layout=dot;\n", escaped(project.name), indent);
    for (const auto& [name, service] : project.services) {
        out += fmt::format("{}\"{}\" [style=\"filled\" label=<<font point-size=\"15\">{}</font>", indent, escaped(name),
                           name);
        if (args.networks)
            for (const auto& network : service.networks)
                out += fmt::format("<br/><br/><font point-size=\"10\"><b>network:</b> {}</font>", network.network);
        if (args.ports)
            for (const auto& port : service.ports)
                out += fmt::format("<br/><font point-size=\"10\"><b>port:</b> {}</font>", port_text(port));
        if (args.image && !service.image.empty())
            out += fmt::format("<br/><br/><font point-size=\"10\"><b>{}</b></font>", service.image);
        out += ">];\n";
    }
    for (const auto& [name, service] : project.services)
        for (const auto& dependency : service.depends_on)
            out += fmt::format("{}\"{}\" -> \"{}\" [style=\"filled\"];\n", indent, escaped(name),
                               escaped(dependency.service));
    print(out + "}\n");
    return 0;
}

}  // namespace

Run define_viz(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text("The services and what they depend on, for Graphviz: 'compose alpha viz | dot -Tsvg'.");
    arguments.flag("--image", args->image, "Show images");
    arguments.flag("--networks", args->networks, "Show networks");
    arguments.flag("--ports", args->ports, "Show ports");
    arguments.number("--indentation-size", args->indentation, "N", "Tabs or spaces a level (default 1)");
    arguments.flag("--spaces", args->spaces, "Indent with spaces");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
