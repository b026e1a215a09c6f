#include "engine/one_off.hpp"

#include <compose/objects.hpp>
#include <compose/plan.hpp>

#include "base/error.hpp"
#include "engine/container_maker.hpp"
#include "engine/default_bridge.hpp"
#include "engine/image_catalog.hpp"
#include "engine/preflight.hpp"
#include "supervisor/network_rows.hpp"
#include "sys/clock.hpp"

namespace compose::engine {
namespace {

constexpr std::size_t kSlugLength = 12;

void ensure_network(const Network& network, ActionContext& context, Session& session) {
    const auto row = session.store().network_by_name(network.name);
    if (!row && context.project == kStandaloneProject)
        throw make_error(ErrorKind::not_found, "network {} not found", network.name)
            .with_hint(fmt::format("make it: network create {}", network.name));
    if (network.external && !row)
        throw make_error(ErrorKind::not_found, "network {} declared as external, but could not be found", network.name);
    if (row && supervisor::is_ready(*row)) return;
    perform(CreateNetwork{network.key, network.name}, context, session);
}

void ensure_volume(const Volume& volume, ActionContext& context, Session& session) {
    const auto row = session.store().volume(volume.name);
    if (row) return;
    if (volume.external) throw make_error(ErrorKind::not_found, "external volume \"{}\" not found", volume.name);
    perform(CreateVolume{volume.key, volume.name}, context, session);
}

void ensure_resources(const Project& project, const Service& service, ActionContext& context, Session& session) {
    if (service.network_mode.empty())
        for (const NetworkAttachment& attachment : service.networks)
            if (const auto found = project.networks.find(attachment.network); found != project.networks.end())
                ensure_network(found->second, context, session);
    for (const Mount& mount : service.mounts)
        if (mount.type == Mount::Type::volume && !mount.source.empty())
            if (const auto found = project.volumes.find(mount.source); found != project.volumes.end())
                ensure_volume(found->second, context, session);
}

}  // namespace

std::string make_one_off(store::Store& store, EventSink& events, const std::string& project_name,
                         const Project& project, const std::string& service_name, const CreateOptions& options,
                         const Beside& beside) {
    const auto found = project.services.find(service_name);
    if (found == project.services.end()) throw make_error(ErrorKind::not_found, "no such service: {}", service_name);
    const bool standalone = project_name == kStandaloneProject;
    const Special special{.slug = sys::random_id().substr(0, kSlugLength),
                          .labels = options.labels && !standalone,
                          .aliases = options.aliases,
                          .hook = beside.hook};
    CreateContainer action;
    action.service = service_name;
    action.number = beside.number;
    action.inherited_volumes = beside.anonymous_volumes;
    action.name = options.name;
    if (action.name.empty())
        action.name = standalone ? special.slug
                                 : project_name + project.separator + service_name + project.separator + "run" +
                                       project.separator + special.slug;

    // Its own copy: what a one-off leaves out is left out before anything is derived from it.
    if (uses_default_bridge(project)) {
        EngineOptions here;
        here.state_dir = store.layout().state;
        here.run_dir = store.layout().run;
        Networks(here).ensure_bridge();
    }
    Project own = with_default_bridge(project);
    own.name = project_name;
    Service& service = own.services.at(service_name);
    service.container_name.clear();
    if (!options.ports) service.ports.clear();

    ActionContext context(store.layout(), project_name, &own, events);
    ImageCatalog catalog(store);
    const ImageFacts* facts = catalog.find(service.image);
    if (facts == nullptr) throw make_error(ErrorKind::not_found, "image \"{}\" is not here", service.image);
    context.images.emplace(service.image, *facts);
    for (const Mount& mount : service.mounts) {
        if (mount.type != Mount::Type::image) continue;
        const ImageFacts* mounted = catalog.find(mount.source);
        if (mounted == nullptr) throw make_error(ErrorKind::not_found, "image \"{}\" is not here", mount.source);
        context.images.emplace(mount.source, *mounted);
    }
    context.host = HostFacts::read();

    Plan plan;
    plan.nodes.push_back({action, {}, {}});
    check_creations(own, plan, store);
    Session session(store, project_name);
    ensure_resources(own, service, context, session);
    const std::string id = "Container " + action.name;
    context.tell(Event::Status::working, id, "Creating");
    const std::string made = ContainerMaker(action, context, session.store(), &special).run();
    context.tell(Event::Status::done, id, "Created");
    return made;
}

}  // namespace compose::engine
