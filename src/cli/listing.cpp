#include "cli/listing.hpp"

#include "base/strings.hpp"
#include "base/template.hpp"
#include "cli/render_table.hpp"

namespace compose::cli {

namespace {

std::string text_of(const json::object& row, const std::string& field) {
    const json::value* const value = row.if_contains(field);
    if (value == nullptr) return {};
    return value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
}

/// A line break of hostile data would look like a row of its own.
std::string one_line(std::string text) {
    for (char& c : text)
        if (c == '\n' || c == '\r') c = ' ';
    return text;
}

std::string default_table(const Listing& listing) {
    std::vector<std::string> headings;
    for (const Column& column : listing.columns) headings.push_back(column.heading);
    Table table(std::move(headings));
    for (const json::object& row : listing.rows) {
        std::vector<std::string> cells;
        for (const Column& column : listing.columns) cells.push_back(one_line(text_of(row, column.field)));
        table.add(std::move(cells));
    }
    return table.text();
}

json::object headings_of(const Listing& listing) {
    json::object out;
    for (const auto* columns : {&listing.columns, &listing.more})
        for (const Column& column : *columns) out[column.field] = column.heading;
    if (!listing.methods.empty())
        for (const auto& method : listing.methods.front()) out[method.key()] = "";
    return out;
}

std::string templated(const Listing& listing, std::string_view text, bool table) {
    const Template format(unescape_format(text));
    std::string out;
    if (table) out += format.render_heading(headings_of(listing)) + "\n";
    for (std::size_t i = 0; i < listing.rows.size(); ++i) {
        TemplateShape shape;
        if (i < listing.methods.size()) shape.methods = &listing.methods[i];
        out += format.render(listing.rows[i], shape) + "\n";
    }
    // A mistake in it is one even when there is nothing to list.
    if (listing.rows.empty()) (void)format.render_heading(headings_of(listing));
    return table ? align_tabs(out) : out;
}

}  // namespace

std::string labels_text(const std::map<std::string, std::string>& labels) {
    std::string out;
    for (const auto& [key, value] : labels) out += (out.empty() ? "" : ",") + key + "=" + value;
    return out;
}

std::string align_tabs(const std::string& text) {
    auto lines = split(text, '\n');
    if (!lines.empty() && lines.back().empty()) lines.pop_back();
    if (lines.empty()) return {};
    Table table(split(lines.front(), '\t'));
    for (std::size_t i = 1; i < lines.size(); ++i) table.add(split(lines[i], '\t'));
    return table.text();
}

std::string render_listing(const Listing& listing, const std::string& format, bool quiet) {
    const bool plain = format.empty() || format == "table";
    if (quiet && plain) {
        std::string out;
        for (const json::object& row : listing.rows) out += text_of(row, listing.quiet_field) + "\n";
        return out;
    }
    if (plain) return default_table(listing);
    if (format == "json") {
        std::string out;
        for (const json::object& row : listing.rows) out += json::serialize(row) + "\n";
        return out;
    }
    if (format == "raw" && !listing.raw.empty()) return templated(listing, listing.raw, false);
    if (format.starts_with("table ")) return templated(listing, std::string_view(format).substr(6), true);
    return templated(listing, format, false);
}

}  // namespace compose::cli
