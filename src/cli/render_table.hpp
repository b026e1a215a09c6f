// Tables and the shapes of `--format json`, spaced and named as Docker's. Pure: values in, text out.
#pragma once

#include <compose/engine.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/listing.hpp"

namespace compose::cli {

/// Columns of at least 10, three spaces apart; the last one ragged.
class Table {
public:
    explicit Table(std::vector<std::string> headers) { rows_.push_back(std::move(headers)); }
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    [[nodiscard]] std::string text() const;

private:
    std::vector<std::vector<std::string>> rows_;
};

/// "0.0.0.0:8080->80/tcp, 9000/tcp"; neighbouring ports become ranges.
[[nodiscard]] std::string render_publishers(const std::vector<Publisher>& publishers);
/// "2 minutes ago"
[[nodiscard]] std::string render_age(std::int64_t then_ns, std::int64_t now_ns);
/// "2026-01-02 03:04:05 +0000 UTC"
[[nodiscard]] std::string render_time(std::int64_t time_ns);
/// In quotes, cut to 20 characters unless `whole`.
[[nodiscard]] std::string render_command(const std::string& command, bool whole);

/// For `ps`: the default table, JSON lines and templates.
[[nodiscard]] Listing compose_listing(const std::vector<ContainerView>& views, std::int64_t now_ns, bool whole);
[[nodiscard]] std::string render_containers(const std::vector<ContainerView>& views, std::int64_t now_ns, bool whole);
[[nodiscard]] std::string render_containers_json(const std::vector<ContainerView>& views, std::int64_t now_ns,
                                                 bool whole);
[[nodiscard]] std::string render_images(const std::vector<ImageView>& views, std::int64_t now_ns, bool whole);
[[nodiscard]] std::string render_images_json(const std::vector<ImageView>& views, std::int64_t now_ns, bool whole);

/// What a terminal shows of `text`, in columns: code points, without escape sequences.
[[nodiscard]] std::size_t display_width(std::string_view text);

}  // namespace compose::cli
