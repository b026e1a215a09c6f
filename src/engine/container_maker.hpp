// Making one container: row and addresses first, in one transaction, then its folder. Undone when it fails.
#pragma once

#include <compose/plan.hpp>

#include "engine/action_context.hpp"
#include "engine/endpoints.hpp"
#include "engine/file_grants.hpp"
#include "engine/spec_builder.hpp"
#include "model/host_ports.hpp"

namespace compose::engine {

/// A container that is no replica of its service.
struct Special {
    std::string slug;
    bool labels = true;   // Compose's own; off: a container made by hand
    bool aliases = true;  // answers to the service's names
};

class ContainerMaker {
public:
    ContainerMaker(const CreateContainer& action, ActionContext& context, store::Store& store,
                   const Special* special = nullptr);
    /// Returns its id.
    std::string run();

private:
    struct UsedVolume {
        std::string name;
        std::string target;
        bool copy = false;  // takes the image's content when it is empty
    };

    void choose_volumes();
    void use_volume(const std::string& target, const store::Volume& volume, bool nocopy);
    store::Container insert_rows();
    void make_files();
    void make_bind_sources() const;
    void label_files() const;
    void specialise(store::Container& record) const;
    void share_volumes();
    void choose_images();
    void choose_devices();
    void choose_namespaces();
    void read_seccomp_profile();
    void choose_confinement();
    void warn_of_limits() const;
    void choose_binding();
    void warn_of_ports(const HostFamilies& known) const;
    void undo() noexcept;

    const CreateContainer& action_;
    ActionContext& context_;
    store::Store& store_;
    const Special* special_;
    const Service service_;  // with what providers and models said
    const ImageFacts& image_;
    ContainerFacts facts_;
    std::map<std::string, store::Network> networks_;
    std::vector<PlannedEndpoint> endpoints_;
    std::vector<UsedVolume> volumes_;
    std::string mounted_images_;  // ids, with commas
    std::vector<GrantedFile> files_;
    std::vector<store::Volume> fresh_;  // anonymous, made for this container
};

}  // namespace compose::engine
