// The tables of state.db. One entry per version; the database's user_version says how many were applied. Never change
// an entry that was released: append one.
#pragma once

#include <array>

namespace compose::store {

// Container rows are split: what never changes lies in `containers`, what the supervisor writes at every event in
// `container_runtime`, and the long texts, which listings do not need, in `container_specs`. The three
// share a number and not the random id, so that the rows of one project lie beside each other: the page cache is small.
// Endpoints and ports repeat the project, so that a listing is one index range.
inline constexpr std::array kMigrations = {R"sql(
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('installation', lower(hex(randomblob(4))));

CREATE TABLE containers (
    row INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    service TEXT NOT NULL,
    number INTEGER NOT NULL,
    oneoff INTEGER NOT NULL,
    config_hash TEXT NOT NULL,
    labels TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    image TEXT NOT NULL,
    image_id TEXT NOT NULL,
    restart TEXT NOT NULL,
    stop_signal INTEGER NOT NULL,
    stop_timeout INTEGER NOT NULL,
    dns TEXT NOT NULL,
    log INTEGER NOT NULL,
    health_check TEXT NOT NULL,
    wished_ports TEXT NOT NULL,
    options TEXT NOT NULL
);
CREATE INDEX containers_project ON containers(project, name);
CREATE INDEX containers_image ON containers(image_id);

CREATE TABLE container_runtime (
    container INTEGER PRIMARY KEY REFERENCES containers(row) ON DELETE CASCADE,
    state TEXT NOT NULL,
    health TEXT NOT NULL,
    pid INTEGER NOT NULL,
    pid_start_time INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    exit_code INTEGER NOT NULL,
    oom_killed INTEGER NOT NULL,
    stopped_by_user INTEGER NOT NULL,
    restart_count INTEGER NOT NULL,
    error TEXT NOT NULL,
    boot_id TEXT NOT NULL
);

CREATE TABLE container_specs (
    container INTEGER PRIMARY KEY REFERENCES containers(row) ON DELETE CASCADE,
    spec TEXT NOT NULL,
    definition TEXT NOT NULL,
    contents TEXT NOT NULL,
    value_files TEXT NOT NULL,
    request TEXT NOT NULL
);

CREATE TABLE networks (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    key TEXT NOT NULL,
    driver TEXT NOT NULL,
    subnet TEXT NOT NULL,
    subnet_first INTEGER UNIQUE,
    subnet_last INTEGER UNIQUE,
    gateway TEXT NOT NULL,
    bridge TEXT NOT NULL,
    internal INTEGER NOT NULL,
    attachable INTEGER NOT NULL,
    options TEXT NOT NULL,
    labels TEXT NOT NULL,
    config_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    definition TEXT NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX networks_bridge ON networks(bridge) WHERE bridge <> '';

CREATE TABLE endpoints (
    container TEXT NOT NULL REFERENCES containers(id) ON DELETE CASCADE,
    network TEXT NOT NULL REFERENCES networks(id),
    project TEXT NOT NULL,
    position INTEGER NOT NULL,
    address TEXT NOT NULL,
    address_value INTEGER,
    mac TEXT NOT NULL,
    interface TEXT NOT NULL,
    aliases TEXT NOT NULL,
    default_route INTEGER NOT NULL,
    name TEXT NOT NULL,
    link_local TEXT NOT NULL,
    gw_priority INTEGER NOT NULL,
    sysctls TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (container, network)
) WITHOUT ROWID;
CREATE UNIQUE INDEX endpoints_address ON endpoints(network, address_value);
CREATE INDEX endpoints_project ON endpoints(project, container, position);
CREATE UNIQUE INDEX endpoints_interface ON endpoints(interface) WHERE interface <> '';

CREATE TABLE ports (
    protocol TEXT NOT NULL,
    host_port INTEGER NOT NULL,
    host_ip TEXT NOT NULL,
    container TEXT NOT NULL REFERENCES containers(id) ON DELETE CASCADE,
    project TEXT NOT NULL,
    container_port INTEGER NOT NULL,
    PRIMARY KEY (protocol, host_port, host_ip)
) WITHOUT ROWID;
CREATE INDEX ports_container ON ports(container);
CREATE INDEX ports_project ON ports(project, container);

CREATE TABLE volumes (
    name TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    key TEXT NOT NULL,
    driver TEXT NOT NULL,
    driver_opts TEXT NOT NULL,
    labels TEXT NOT NULL,
    anonymous INTEGER NOT NULL,
    config_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE container_volumes (
    container TEXT NOT NULL REFERENCES containers(id) ON DELETE CASCADE,
    volume TEXT NOT NULL REFERENCES volumes(name),
    PRIMARY KEY (container, volume)
) WITHOUT ROWID;
CREATE INDEX container_volumes_volume ON container_volumes(volume);

CREATE TABLE images (
    id TEXT PRIMARY KEY,
    config TEXT NOT NULL,
    layers TEXT NOT NULL,
    size INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE TABLE image_names (
    reference TEXT PRIMARY KEY,
    image TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,
    tagged_at INTEGER NOT NULL,
    pulled_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX image_names_image ON image_names(image);

-- What building steps gave, by the digest of all that they depend on. A step's layer, or a value worth remembering.
CREATE TABLE build_cache (
    key TEXT PRIMARY KEY,
    chain TEXT NOT NULL,
    diff TEXT NOT NULL,
    size INTEGER NOT NULL,
    value TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE image_digests (
    repository TEXT NOT NULL,
    digest TEXT NOT NULL,
    image TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,
    pulled_at INTEGER NOT NULL,
    PRIMARY KEY (repository, digest)
) WITHOUT ROWID;
CREATE INDEX image_digests_image ON image_digests(image);
CREATE TABLE image_manifests (
    image TEXT PRIMARY KEY REFERENCES images(id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    content TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE layer_sizes (
    chain TEXT PRIMARY KEY,
    size INTEGER NOT NULL
) WITHOUT ROWID;
-- The blob that a layer came from, or was packed into; `diff` is of its bytes.
CREATE TABLE layer_blobs (
    chain TEXT PRIMARY KEY,
    diff TEXT NOT NULL,
    media_type TEXT NOT NULL,
    digest TEXT NOT NULL,
    size INTEGER NOT NULL
) WITHOUT ROWID;
)sql"};

inline constexpr int kSchemaVersion = static_cast<int>(kMigrations.size());

}  // namespace compose::store
