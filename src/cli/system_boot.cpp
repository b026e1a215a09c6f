// system boot: what the restart policies promise after the machine has started, and the unit that calls it then.
#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "sys/file.hpp"

namespace compose::cli {

namespace {

/// A word of a unit file, as systemd.syntax(7) and systemd.unit(5) want it.
std::string unit_word(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20)
            throw make_error(ErrorKind::invalid, "{}: a unit file can't hold such a path", quote(text));
        if (c == '"' || c == '\\') out += '\\';
        out += c;
        if (c == '%' || c == '$') out += c;
    }
    return out + "\"";
}

std::string unit(const Context& context) {
    std::string environment;
    for (const char* name : {"COMPOSE_STATE_DIR", "COMPOSE_RUN_DIR"})
        if (const auto value = context.variable(name); !value.empty()) {
            std::string pair = unit_word(std::string(name) + "=" + value);
            // Variables are not expanded here, so a dollar is one.
            for (std::size_t at = 0; (at = pair.find("$$", at)) != std::string::npos; ++at) pair.erase(at, 1);
            environment += "Environment=" + pair + "\n";
        }
    return "[Unit]\n"
           "Description=Containers of compose\n"
           "Wants=network-online.target\n"
           "After=network-online.target local-fs.target\n"
           "\n"
           "[Service]\n"
           "Type=oneshot\n"
           "RemainAfterExit=yes\n" +
           environment + "ExecStart=" + unit_word(sys::own_program()) +
           " system boot\n"
           "# Stopping this unit stops no container.\n"
           "KillMode=process\n"
           "\n"
           "[Install]\n"
           "WantedBy=multi-user.target\n";
}

int boot(Context& context) {
    const std::size_t failures = context.containers("system boot").start_after_boot();
    context.finish_progress();
    if (failures != 0)
        throw make_error("{} {} not be started", failures, failures == 1 ? "container could" : "containers could");
    return 0;
}

}  // namespace

Run define_system_boot(Arguments& arguments) {
    const auto print_unit = std::make_shared<bool>(false);
    arguments.text(
        "Starts the containers of all projects that are down and whose restart policy is always or unless-stopped,\n"
        "unless they were stopped by hand. Without a daemon nobody else does that after a reboot: let systemd call "
        "it.\n"
        "Secrets are read again from the files that they came from; those that came from variables need 'compose up'.");
    arguments.flag("--systemd", *print_unit, "Print a unit file that calls this, and do nothing else");
    arguments.example("compose system boot --systemd > /etc/systemd/system/compose.service",
                      "then 'systemctl enable' it");
    return [print_unit](Context& context) {
        if (!*print_unit) return boot(context);
        print(unit(context));
        return 0;
    };
}

}  // namespace compose::cli
