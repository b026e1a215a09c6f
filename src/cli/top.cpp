#include "base/error.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/pick.hpp"
#include "cli/project.hpp"
#include "cli/render_table.hpp"

namespace compose::cli {

Run define_top(Arguments& arguments) {
    const auto services = std::make_shared<std::vector<std::string>>();
    arguments.text("The processes of each container, with the numbers that they have on this machine.");
    arguments.rest("SERVICE", *services);
    return [services](Context& context) {
        const auto name = project_name(context);
        std::optional<Table> table;
        for (const auto& view : replicas_of(context, name, *services)) {
            if (!is_live(view)) continue;
            ProcessTable processes;
            try {
                processes = context.containers().top(view.id);
            } catch (const Error& error) {
                if (error.kind() == ErrorKind::conflict) continue;  // it has ended meanwhile
                throw;
            }
            if (!table) {
                std::vector<std::string> titles{"SERVICE", "#"};
                titles.insert(titles.end(), processes.titles.begin(), processes.titles.end());
                table.emplace(std::move(titles), kProcesses);
            }
            for (auto& process : processes.processes) {
                std::vector<std::string> row{view.service, std::to_string(view.number)};
                row.insert(row.end(), process.begin(), process.end());
                table->add(std::move(row));
            }
        }
        if (table) print(table->text());
        return 0;
    };
}

}  // namespace compose::cli
