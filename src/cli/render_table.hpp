// Tables and the shapes of `--format json`, spaced and named as Docker's. Pure: values in, text out.
#pragma once

#include <compose/engine.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/listing.hpp"

namespace compose::cli {

/// How wide a column is at least, with the gap to the next one, and that gap. Docker has three of these.
struct Spacing {
    std::size_t minimum;
    std::size_t gap;
};
inline constexpr Spacing kListing{10, 3};
inline constexpr Spacing kSection{20, 3};   // compose ls, compose images, container top
inline constexpr Spacing kProcesses{4, 2};  // compose top

/// Columns; the last one ragged.
class Table {
public:
    explicit Table(std::vector<std::string> headers, Spacing spacing = kListing) : spacing_(spacing) {
        rows_.push_back(std::move(headers));
    }
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    [[nodiscard]] std::string text() const;

private:
    Spacing spacing_;
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

/// Docker's "raw": a key and a value a line, a container a paragraph.
inline constexpr const char* kRawContainer =
    "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\n"
    "state: {{.State}}\nstatus: {{.Status}}\nnames: {{.Names}}\nlabels: {{.Labels}}\nports: {{.Ports}}\n";

/// What a container's own files take, as text, by its id; empty: nobody has asked.
using SizeText = std::function<std::string(const std::string& id)>;
/// "data,0123456789abcd…": names of volumes and folders, cut to 15 characters unless `whole`.
[[nodiscard]] std::string render_mounts(const std::vector<std::string>& mounts, bool whole);

/// For `ps`: the default table, JSON lines and templates.
[[nodiscard]] Listing compose_listing(const std::vector<ContainerView>& views, std::int64_t now_ns, bool whole,
                                      const SizeText& size_text = {});

/// What a terminal shows of `text`, in columns: code points, without escape sequences.
[[nodiscard]] std::size_t display_width(std::string_view text);

}  // namespace compose::cli
