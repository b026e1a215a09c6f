#include "base/log.hpp"

#include <atomic>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace compose::log {
namespace {

std::atomic<bool> g_enabled{false};

}  // namespace

void enable(const std::string& file) {
    std::shared_ptr<spdlog::logger> logger;
    if (file.empty())
        logger = std::make_shared<spdlog::logger>("compose", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    else
        logger = std::make_shared<spdlog::logger>("compose", std::make_shared<spdlog::sinks::basic_file_sink_mt>(file));
    logger->set_level(spdlog::level::debug);
    logger->flush_on(spdlog::level::debug);
    spdlog::set_default_logger(std::move(logger));
    g_enabled = true;
}

bool enabled() noexcept {
    return g_enabled.load(std::memory_order_relaxed);
}

void write(const std::string& line) {
    spdlog::debug("{}", line);
}

}  // namespace compose::log
