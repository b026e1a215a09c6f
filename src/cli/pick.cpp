#include "cli/pick.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/context.hpp"
#include "cli/project.hpp"

namespace compose::cli {

bool is_live(const ContainerView& view) {
    return view.state == "running" || view.state == "paused";
}

ContainerView pick_container(Context& context, const std::string& project, const std::string& service,
                             std::optional<int> index, Want want) {
    auto views = containers_of(context, project, {service}, true);
    std::erase_if(views, [&](const ContainerView& view) {
        return (want == Want::running && !is_live(view)) || (index && (view.number != *index || view.oneoff));
    });
    if (!views.empty())
        return *std::min_element(views.begin(), views.end(), [](const auto& a, const auto& b) {
            return std::tie(a.oneoff, a.number) < std::tie(b.oneoff, b.number);
        });
    const auto which = index ? fmt::format(" container #{}", *index) : "";
    if (want == Want::running)
        throw make_error(ErrorKind::not_found, "service {} is not running{}", quote(service), which)
            .with_hint(fmt::format("start it with 'compose up -d {}'", service));
    throw make_error(ErrorKind::not_found, "no container found for service {}{}", quote(service), which)
        .with_hint(fmt::format("create it with 'compose create {}'", service));
}

std::vector<ContainerView> replicas_of(Context& context, const std::string& project,
                                       const std::vector<std::string>& services) {
    auto views = containers_of(context, project, services);
    std::stable_sort(views.begin(), views.end(), [](const auto& a, const auto& b) {
        return std::tie(a.service, a.number) < std::tie(b.service, b.number);
    });
    return views;
}

}  // namespace compose::cli
