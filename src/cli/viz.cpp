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

/// Of a label, which Graphviz reads as HTML.
std::string html(const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
    return out;
}

/// "127.0.0.1:8080:80 (tcp, ingress)"; a range as "8080-8082".
std::string port_text(const Port& port) {
    std::string out = port.host_ip.empty() ? "" : port.host_ip + ":";
    if (port.published_first != 0) out += std::to_string(port.published_first);
    if (port.published_last != port.published_first) out += fmt::format("-{}", port.published_last);
    return out + fmt::format(":{} ({}, {})", port.target, port.protocol, port.mode);
}

/// A heading and its lines, under the service's name.
std::string part(const char* heading, const std::vector<std::string>& lines) {
    if (lines.empty()) return "";
    std::string out = fmt::format("<font point-size=\"10\"><br/><br/><b>{}:</b>", heading);
    for (const auto& line : lines) out += "<br/>" + html(line);
    return out + "</font>";
}

std::string node(const Service& service, const Args& args) {
    std::vector<std::string> networks, ports, image;
    for (const auto& network : service.networks) networks.push_back(network.network);
    for (const auto& port : service.ports) ports.push_back(port_text(port));
    image.push_back(service.image);
    std::string label = fmt::format("<font point-size=\"15\">{}</font>", html(service.name));
    if (args.networks) label += part("Networks", networks);
    if (args.ports) label += part("Ports", ports);
    if (args.image) label += part("Image", image);
    return fmt::format("\"{}\" [style=\"filled\" label=<{}>];\n", escaped(service.name), label);
}

int run(Context& context, const Args& args) {
    if (args.indentation && *args.indentation < 0)
        throw make_error(ErrorKind::usage, "--indentation-size can't be negative");
    const std::string indent(static_cast<std::size_t>(args.indentation.value_or(1)), args.spaces ? ' ' : '\t');
    Diagnostics findings;
    const auto loaded = load(context, make_load_request(context), findings);
    const auto& project = loaded.project;
    std::string out = fmt::format("digraph \"{}\" {{\n{}layout=dot;\n", escaped(project.name), indent);
    for (const auto& [name, service] : project.services) out += indent + node(service, args);
    out += "\n";
    for (const auto& [name, service] : project.services)
        for (const auto& dependency : service.depends_on)
            out += fmt::format("{}\"{}\" -> \"{}\";\n", indent, escaped(name), escaped(dependency.service));
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
