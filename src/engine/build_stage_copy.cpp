// COPY and ADD.
#include <algorithm>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "build/remote.hpp"
#include "engine/build_key.hpp"
#include "engine/build_stage.hpp"
#include "sys/clock.hpp"
#include "sys/overlay_view.hpp"

namespace compose::engine {

std::string StageBuilder::sources_digest(const build::CopyStep& copy) {
    Sha256 hash;
    const auto add = [&](std::string_view text) {
        const std::uint64_t size = text.size();
        hash.update(&size, sizeof size);
        hash.update(text.data(), text.size());
    };
    const auto add_tree = [&](const build::SourceTree& tree) {
        for (const auto& source : copy.sources) {
            add(build::redacted(source));
            if (is_remote(copy, source)) {
                add(remote_digest(copy, source));
                continue;
            }
            for (const auto& found : tree.find(source)) {
                add(found.matched);
                add(tree.digest(found.path, copy.excludes));
            }
        }
    };
    for (const auto& file : copy.inline_files) {
        add(file.name);
        add(file.content);
    }
    if (copy.from.empty()) {
        add_tree(shared_.sources.context());
        return hash.hex();
    }
    if (const auto* folder = shared_.sources.named_folder(copy.from)) {
        add_tree(*folder);
        return hash.hex();
    }
    // Layers never change: what was found in them once is true for ever.
    const auto layers = shared_.layers_of(store_, copy.from);
    std::string what = "subtree\n" + layers.top() + "\n";
    for (const auto& source : copy.sources) what += source + "\n";
    for (const auto& exclude : copy.excludes) what += "!" + exclude + "\n";
    const auto key = sha256_hex(what);
    if (const auto known = cache_.find(key)) return known->value;
    add_tree(LayersView(shared_, layers.chain).tree());
    store::CachedStep row;
    row.key = key;
    row.value = hash.hex();
    row.description = "content of " + copy.from;
    row.created_at = row.used_at = sys::wall_now().time_since_epoch().count();
    cache_.put(row);
    return row.value;
}

std::string StageBuilder::copy_key(const build::CopyStep& copy) {
    const auto who = owner(copy.owner, false);
    StepKey key("copy");
    // A linked layer is the same on whatever it lies, but for the root folder, which the topmost layer decides.
    if (copy.link) {
        const auto root = root_below();
        key.add(fmt::format("link {} {} {}", root.owner, root.group, root.mode));
    } else {
        key.add(built_.top());
    }
    key.add(copy.target).add(fmt::format("{}:{} {}", who.user, who.group, copy.owner.empty())).add(copy.mode);
    key.add(copy.parents ? "parents" : "").add(copy.unpack ? (*copy.unpack ? "unpack" : "whole") : "");
    key.add(copy.add ? "add" : "copy").add(copy.excludes);
    return key.add(sources_digest(copy)).hex();
}

StageBuilder::Layer StageBuilder::copy(const build::CopyStep& copy) {
    build::WriteOptions options;
    if (!copy.owner.empty()) options.owner = owner(copy.owner, false);
    options.mode = build::ModeChange(copy.mode);
    options.parents = copy.parents;
    options.excludes = copy.excludes;
    const auto folders = new_folders();
    {
        // A linked layer knows nothing of what lies below it.
        const auto lowers = copy.link ? std::vector<std::string>() : shared_.folders(built_.chain);
        const auto root = sys::open_writable_overlay(lowers, folders.upper, folders.work);
        build::TreeWriter writer(root, std::move(options));
        const auto write_all = [&](const build::SourceTree& tree) {
            for (const auto& source : copy.sources) {
                if (is_remote(copy, source)) {
                    add_remote(copy, source, writer);
                    continue;
                }
                for (const auto& found : tree.find(source))
                    if (!add_archive(copy, tree, found, writer)) writer.copy(tree, found, source, copy.target);
            }
        };
        if (copy.from.empty()) {
            write_all(shared_.sources.context());
        } else if (const auto* folder = shared_.sources.named_folder(copy.from)) {
            write_all(*folder);
        } else {
            write_all(LayersView(shared_, shared_.layers_of(store_, copy.from).chain).tree());
        }
        for (const auto& file : copy.inline_files) writer.write(file, copy.target);
        writer.finish();
    }
    return adopt(folders);
}

}  // namespace compose::engine
