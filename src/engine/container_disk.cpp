#include "engine/container_disk.hpp"

#include "engine/materialize.hpp"
#include "sys/file.hpp"

namespace compose::engine {

sys::Disk disk_in(const std::string& folder) {
    return {folder + "/disk.img", folder + "/disk"};
}

sys::Disk disk_of(const runtime::ContainerSpec& spec) {
    return {spec.disk, spec.disk_place};
}

void make_root_folders(const std::string& folder, std::int64_t size) {
    const auto make_in = [](const std::string& place) {
        make_shared_directory(place + "/upper");  // its mode is that of "/" in the container
        sys::make_directory(place + "/work", 0700);
    };
    if (size == 0) return make_in(folder);
    const sys::Disk disk = disk_in(folder);
    sys::make_directory(disk.place, 0700);
    sys::make_disk(disk.file, size);
    sys::visit_disk(disk, [&] { make_in(disk.place); });
}

}  // namespace compose::engine
