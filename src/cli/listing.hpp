// What `ls` commands print: rows of named texts, as a table, as JSON, through a Go template, or the ids alone. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"

namespace compose::cli {

struct Column {
    std::string field;
    std::string heading;
};

struct Listing {
    std::vector<Column> columns;             // of the default table
    std::vector<Column> more = {};           // further fields that templates may name
    std::vector<json::object> rows;          // every field of every column
    std::vector<json::object> methods = {};  // of each row, when there are any: {"Label": {...}} for {{.Label "x"}}
    std::string quiet_field = "ID";
    std::string raw = {};  // the template that Docker calls "raw"; empty: it has none
};

/// `format`: "" or "table", "json", "raw", "table TEMPLATE", "TEMPLATE". With `quiet` the ids alone, unless there is a
/// template.
[[nodiscard]] std::string render_listing(const Listing& listing, const std::string& format, bool quiet);

/// Lines of cells with tabs between them, as columns.
[[nodiscard]] std::string align_tabs(const std::string& text);

/// "a=1,b=2"
[[nodiscard]] std::string labels_text(const std::map<std::string, std::string>& labels);

}  // namespace compose::cli
