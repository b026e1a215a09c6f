#include "engine/build_service.hpp"

#include "base/error.hpp"

namespace compose::engine {

std::string build_service_image(store::Store& /*store*/, EventSink& /*events*/, const Project& /*project*/,
                                const Service& service, std::stop_token /*cancel*/) {
    throw make_error(ErrorKind::unavailable,
                     "image \"{}\" of service {} is not here, and building is not implemented yet", service.image,
                     service.name)
        .with_hint("import or pull the image first");
}

}  // namespace compose::engine
