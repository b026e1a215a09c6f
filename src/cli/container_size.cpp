#include "cli/container_size.hpp"

#include <compose/error.hpp>
#include <compose/objects.hpp>

#include <fmt/format.h>

#include "base/units.hpp"

namespace compose::cli {

bool asks_for_size(const std::string& format) {
    return format.find(".Size") != std::string::npos || format.find("json .}") != std::string::npos ||
           format.find("json . }") != std::string::npos;
}

std::string size_text(const EngineOptions& options, const std::string& id) {
    try {
        const auto size = container_size(options, id);
        return fmt::format("{} (virtual {})", human_size(size.writable), human_size(size.total));
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::not_found) throw;
        return "0B";
    }
}

}  // namespace compose::cli
