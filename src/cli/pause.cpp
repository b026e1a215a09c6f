// pause and unpause.
#include <exception>

#include "base/error.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/pick.hpp"
#include "cli/project.hpp"

namespace compose::cli {

namespace {

using Services = std::vector<std::string>;

/// All of them, also when one fails; the first failure is the command's.
template <class Act>
int for_each(Context& context, const char* verb, const Services& services, Act act) {
    const auto name = project_name(context);
    auto& containers = context.containers(verb);
    std::exception_ptr failure;
    for (const auto& view : replicas_of(context, name, services)) {
        if (!is_live(view)) continue;
        try {
            act(containers, view);
        } catch (const Error&) {
            if (!failure) failure = std::current_exception();
        }
    }
    if (failure) std::rethrow_exception(failure);
    return 0;
}

}  // namespace

Run define_pause(Arguments& arguments) {
    const auto services = std::make_shared<Services>();
    arguments.text("Its processes stand still and keep their memory until 'compose unpause'.");
    arguments.rest("SERVICE", *services);
    return [services](Context& context) {
        return for_each(context, "pause", *services,
                        [](Containers& containers, const ContainerView& view) { containers.pause(view.id); });
    };
}

Run define_unpause(Arguments& arguments) {
    const auto services = std::make_shared<Services>();
    arguments.rest("SERVICE", *services);
    return [services](Context& context) {
        return for_each(context, "unpause", *services,
                        [](Containers& containers, const ContainerView& view) { containers.unpause(view.id); });
    };
}

}  // namespace compose::cli
