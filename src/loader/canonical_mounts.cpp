// Mounts: "[SOURCE:]TARGET[:OPTIONS]" to the mapping form.
#include <optional>

#include "base/strings.hpp"
#include "loader/canonical_rules.hpp"
#include "loader/units_bind.hpp"

namespace compose {

namespace {

constexpr const char* kAdvice = "write source:target, for example \"./data:/data\" or \"data:/data:ro\"";

bool is_host_path(std::string_view source) {
    return source.starts_with('.') || source.starts_with('/') || source.starts_with('~');
}

// Options of the short form, as keys of the long form.
struct MountOptions {
    bool read_only = false;
    bool nocopy = false;
    std::string propagation;
    std::string selinux;
    std::string consistency;
};

// False when the word means nothing.
bool apply_option(MountOptions& options, std::string_view word) {
    if (word == "ro") {
        options.read_only = true;
    } else if (word == "rw") {
        options.read_only = false;
    } else if (word == "nocopy") {
        options.nocopy = true;
    } else if (word == "z" || word == "Z") {
        options.selinux = word;
    } else if (word == "consistent" || word == "cached" || word == "delegated") {
        options.consistency = word;
    } else if (word == "private" || word == "rprivate" || word == "shared" || word == "rshared" || word == "slave" ||
               word == "rslave") {
        options.propagation = word;
    } else {
        return false;
    }
    return true;
}

void put(Node& map, const char* key, Node value) {
    map.entries.push_back({key, map.pos, std::move(value)});
}

Node make_mount(const Node& from, std::string_view source, std::string_view target, const MountOptions& options) {
    const auto text = [&](std::string_view value) { return Node::make_string(std::string(value), from.pos); };
    Node out = Node::make_mapping(from.pos);
    out.entries.reserve(5);
    const bool bind = is_host_path(source);
    put(out, "type", text(bind ? "bind" : "volume"));
    if (!source.empty()) put(out, "source", text(source));
    put(out, "target", text(target));
    if (options.read_only) put(out, "read_only", Node::make_bool(true, from.pos));
    if (!options.consistency.empty()) put(out, "consistency", text(options.consistency));
    if (bind) {
        Node details = Node::make_mapping(from.pos);
        put(details, "create_host_path", Node::make_bool(true, from.pos));
        if (!options.propagation.empty()) put(details, "propagation", text(options.propagation));
        if (!options.selinux.empty()) put(details, "selinux", text(options.selinux));
        put(out, "bind", std::move(details));
    } else if (options.nocopy) {
        Node details = Node::make_mapping(from.pos);
        put(details, "nocopy", Node::make_bool(true, from.pos));
        put(out, "volume", std::move(details));
    }
    return out;
}

}  // namespace

void canonical_mount(Node& node, const PathFrame& path, CanonicalContext& context) {
    if (!node.is_string() || context.opaque(node)) return;
    const auto parts = split(node.text, ':');
    const auto bad = [&](const std::string& message) { context.error(node, path, message, kAdvice); };
    std::string source;
    std::string target;
    MountOptions options;
    if (parts.size() == 1) {
        target = parts[0];
    } else if (parts.size() <= 3) {
        source = parts[0];
        target = parts[1];
    } else {
        return bad(shown(node.text) + " has too many parts");
    }
    if (target.empty() || (parts.size() > 1 && source.empty())) return bad(shown(node.text) + " has an empty part");
    if (parts.size() == 2 && !target.starts_with('/') && source.starts_with('/')) {
        // "/anonymous:ro": a volume without a name, with options.
        MountOptions probe;
        bool all = true;
        for (const auto& word : split(target, ',')) all = apply_option(probe, word) && all;
        if (all) {
            options = probe;
            target = std::exchange(source, {});
        }
    }
    if (!target.starts_with('/')) return bad(shown(target) + " is not an absolute path in the container");
    if (parts.size() == 3) {
        for (const auto& word : split(parts[2], ','))
            if (!word.empty() && !apply_option(options, word))
                context.findings.warning(node.pos, to_string(path),
                                         "unknown mount option " + shown(word) + " is ignored",
                                         "known: ro, rw, z, Z, nocopy, private, shared, slave and r-forms of these");
    }
    Node out = make_mount(node, source, target, options);
    out.tag = node.tag;
    out.past = node.past;
    node = std::move(out);
}

}  // namespace compose
