// The state of one installation: one SQLite database that many processes share. Uniqueness is the database's business,
// allocation is a transaction, and every row is there before the kernel object it names.
//
// A Store belongs to one thread. Writers wait for each other up to 10 s. All functions throw Error; a name or port
// taken is ErrorKind::conflict with a message that says by whom.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "store/layout.hpp"
#include "store/records.hpp"

namespace compose::store {

class Store {
public:
    explicit Store(Layout layout);
    ~Store();
    Store(Store&&) noexcept;
    Store& operator=(Store&&) noexcept;

    [[nodiscard]] const Layout& layout() const;
    /// 8 hex digits, made with the database: part of the names of global kernel objects.
    [[nodiscard]] const std::string& installation_id() const;
    /// Runs `body` in one immediate transaction; rolls back when it throws. Not nestable.
    void transaction(const std::function<void()>& body);
    /// Makes what was committed so far survive a power loss.
    void sync();

    // Containers
    void insert_container(const Container& container, std::span<const Endpoint> endpoints,
                          std::span<const std::string> volumes, const ContainerTexts& texts = {});
    [[nodiscard]] std::optional<Container> container(const std::string& id) const;
    [[nodiscard]] std::optional<Container> container_by_name(const std::string& name) const;
    [[nodiscard]] std::vector<Container> containers(const std::string& project) const;  // sorted by name; "": all
    /// The same without config.spec, which is long: enough for listings.
    [[nodiscard]] std::vector<Container> containers_without_spec(const std::string& project) const;
    /// Empty texts when there is no such container.
    [[nodiscard]] ContainerTexts container_texts(const std::string& id) const;
    /// Only the columns that the supervisor owns.
    void update_runtime(const Container& container);
    void rename_container(const std::string& id, const std::string& name);
    /// Limits, the restart policy and links may change while it exists.
    void update_spec(const std::string& id, const std::string& spec);
    void update_restart(const std::string& id, const std::string& policy);
    void update_options(const std::string& id, const std::string& options_json);
    void delete_container(const std::string& id);  // with endpoints, ports and volume uses
    [[nodiscard]] std::vector<std::string> volumes_of(const std::string& container_id) const;
    [[nodiscard]] std::vector<std::string> projects() const;

    // Networks
    /// Fills in subnet and gateway when they are empty: the lowest free one of the pools that overlaps neither another
    /// network nor `avoid` ("10.0.0.0/8" texts: the host's routes).
    void insert_network(Network& network, std::span<const std::string> avoid);
    /// And the definition that they come from.
    void update_labels(const Network& network);
    [[nodiscard]] std::optional<Network> network(const std::string& id) const;
    [[nodiscard]] std::optional<Network> network_by_name(const std::string& name) const;
    [[nodiscard]] std::vector<Network> networks(const std::string& project) const;  // "": all
    void delete_network(const std::string& id);  // conflict, naming the containers, while endpoints exist

    // Endpoints
    /// The lowest free address of the network (or `wanted`); call inside transaction() together with insert_container.
    [[nodiscard]] std::string allocate_address(const Network& network, const std::string& wanted) const;
    [[nodiscard]] std::vector<Endpoint> endpoints_of(const std::string& container_id) const;  // by index
    /// The names that it answers to.
    void update_aliases(const Endpoint& endpoint);
    /// Of a container that exists. Conflict when it is on the network already, or the address is taken.
    void add_endpoint(const Endpoint& endpoint);
    /// False when there was none.
    /// One of the container's endpoints has the default route; none when `network_id` is empty.
    void set_default_route(const std::string& container_id, const std::string& network_id);
    bool remove_endpoint(const std::string& container_id, const std::string& network_id);
    [[nodiscard]] std::vector<Endpoint> endpoints_on(const std::string& network_id) const;
    /// Of all containers of the project ("": all), by container id and index.
    [[nodiscard]] std::vector<Endpoint> endpoints(const std::string& project) const;

    // Host ports
    /// Takes one port of [first, last] (0: any free one of 32768-60999) on host_ip for the container; the lowest free.
    /// Wildcard and specific addresses exclude each other. Conflict when none is free. Returns what was taken.
    PortRecord allocate_port(const std::string& container_id, const std::string& protocol, const std::string& host_ip,
                             std::uint16_t first, std::uint16_t last, std::uint16_t container_port);
    void release_ports(const std::string& container_id);
    /// Those ports pass to another container at once; each record's container_port is the new one.
    void move_ports(std::span<const PortRecord> ports, const std::string& container_id);
    /// The container that has ports in the place of this one: of the same service and number, while one takes the
    /// other's place. Empty when there is none.
    [[nodiscard]] std::string port_holder_of_place(const Container& container) const;
    [[nodiscard]] std::vector<PortRecord> ports_of(const std::string& container_id) const;
    [[nodiscard]] std::vector<PortRecord> ports(const std::string& project) const;  // "": all

    // Volumes
    /// False when one of that name exists already (then nothing is changed).
    bool insert_volume(const Volume& volume);
    [[nodiscard]] std::optional<Volume> volume(const std::string& name) const;
    [[nodiscard]] std::vector<Volume> volumes(const std::string& project) const;  // "": all
    /// (container id, volume name) of all containers of the project ("": all).
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> volume_uses(const std::string& project) const;
    [[nodiscard]] std::vector<std::string> volume_users(const std::string& name) const;  // container names
    void delete_volume(const std::string& name);  // conflict, naming the containers, while in use

    // Images
    void put_image(const Image& image);
    void tag_image(const std::string& reference, const std::string& image_id);
    [[nodiscard]] std::optional<Image> image(const std::string& id) const;
    [[nodiscard]] std::optional<Image> image_by_reference(const std::string& reference) const;
    [[nodiscard]] std::vector<Image> images() const;
    [[nodiscard]] std::vector<ImageName> image_names() const;
    void untag_image(const std::string& reference);
    /// A registry was asked for the name just now, whatever it said.
    void mark_pulled(const std::string& reference);
    void put_image_digest(const ImageDigest& digest);
    void delete_image_digest(const std::string& repository, const std::string& digest);
    [[nodiscard]] std::vector<ImageDigest> image_digests() const;
    [[nodiscard]] std::optional<Image> image_by_digest(const std::string& repository, const std::string& digest) const;
    void put_image_manifest(const ImageManifest& manifest);
    [[nodiscard]] std::optional<ImageManifest> image_manifest(const std::string& image_id) const;
    [[nodiscard]] std::vector<ImageManifest> image_manifests() const;
    /// Bytes of an unpacked layer; -1 when nobody has counted them.
    void put_layer_size(const std::string& chain_id, std::int64_t size);
    [[nodiscard]] std::int64_t layer_size(const std::string& chain_id) const;
    void put_layer_blob(const LayerBlob& blob);
    [[nodiscard]] std::optional<LayerBlob> layer_blob(const std::string& chain_id) const;
    [[nodiscard]] std::vector<LayerBlob> layer_blobs() const;
    void forget_layer(const std::string& chain_id);
    /// Names of the containers that were made from it.
    [[nodiscard]] std::vector<std::string> image_users(const std::string& id) const;
    void delete_image(const std::string& id);  // conflict, naming the containers, while in use
    /// Chain ids that any image still needs.
    [[nodiscard]] std::vector<std::string> layers_in_use() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// The lock that a changing command holds on a project. A second one waits up to `timeout`, then fails with the
/// holder's pid and command line; it ends earlier, with exit code 130, when `cancel` asks for it.
class ProjectLock {
public:
    ProjectLock(const Layout& layout, const std::string& project, const std::string& command,
                std::chrono::milliseconds timeout, const std::stop_token& cancel = {});
    ~ProjectLock();
    ProjectLock(ProjectLock&&) noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// A counter in a shared mapping: whoever changes what names resolve to bumps it, every supervisor compares it.
class Generation {
public:
    explicit Generation(const Layout& layout);
    ~Generation();
    Generation(const Generation&) = delete;
    Generation& operator=(const Generation&) = delete;
    [[nodiscard]] std::uint64_t value() const noexcept;
    void bump() noexcept;

private:
    void* mapping_ = nullptr;
};

}  // namespace compose::store
