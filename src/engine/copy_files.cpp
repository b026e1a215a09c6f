#include "engine/copy_files.hpp"

#include <exception>
#include <functional>
#include <thread>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "image/tree_tar.hpp"
#include "sys/dir.hpp"
#include "sys/env.hpp"
#include "sys/file.hpp"
#include "sys/tree.hpp"

namespace compose::engine {
namespace {

std::string without_slashes(std::string path) {
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    return path;
}
std::string parent_of(const std::string& path) {
    const auto text = without_slashes(path);
    const auto slash = text.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : text.substr(0, slash);
}
std::string last_of(const std::string& path) {
    const auto text = without_slashes(path);
    const auto slash = text.rfind('/');
    return slash == std::string::npos ? text : text.substr(slash + 1);
}
bool is_content(const std::string& path) {
    return path == "." || path.ends_with("/.");
}

std::optional<sys::FileInfo> look(sys::FdRef root, const std::string& path) {
    const auto name = last_of(path);
    if (name.empty() || name == "/" || name == "." || name == "..") {
        const auto dir = sys::find_directory_in_root(root, path, sys::Missing::anything_else);
        return dir ? std::optional(sys::inspect(*dir)) : std::nullopt;
    }
    const auto dir = sys::find_directory_in_root(root, parent_of(path), sys::Missing::anything_else);
    return dir ? sys::inspect_at(*dir, name) : std::nullopt;
}

/// Where a link in the last component leads, inside the root.
std::string resolve(sys::FdRef root, std::string path) {
    constexpr int kMostLinks = 40;
    for (int i = 0; i < kMostLinks; ++i) {
        const auto info = look(root, path);
        if (!info || info->kind != sys::FileKind::symlink) return path;
        const auto dir = sys::find_directory_in_root(root, parent_of(path), sys::Missing::anything_else);
        if (!dir) return path;
        const auto target = sys::read_link_at(*dir, last_of(path));
        path = target.starts_with('/') ? target : parent_of(path) + "/" + target;
    }
    throw make_error("{}: too many symbolic links", quote(path));
}

struct Target {
    std::string directory;
    std::string name;  // empty: the content goes into the directory itself
};

/// `there`: what is at the destination, links followed.
Target choose_target(const std::string& source, bool source_is_directory, const std::string& destination,
                     const std::optional<sys::FileInfo>& there, const std::function<bool(const std::string&)>& is_dir) {
    const bool directory = there && there->kind == sys::FileKind::directory;
    if (directory) return {destination, is_content(source) && source_is_directory ? "" : last_of(source)};
    if (there) {
        if (source_is_directory) throw make_error("cannot copy a directory to a file: {}", quote(destination));
        if (destination.ends_with('/')) throw make_error("not a directory: {}", quote(destination));
        return {parent_of(destination), last_of(destination)};
    }
    if (!is_dir(parent_of(destination)))
        throw make_error(ErrorKind::not_found, "no such directory: {}", quote(parent_of(destination)));
    if (destination.ends_with('/') && !source_is_directory)
        throw make_error("the destination directory must exist: {}", quote(destination));
    return {parent_of(destination), last_of(destination)};
}

/// One end in a thread of its own, the other in this one.
void stream(const std::function<void(sys::FdRef)>& write, const std::function<void(sys::FdRef)>& read) {
    auto pipe = sys::make_pipe();
    std::exception_ptr write_failure, read_failure;
    std::thread writer([&] {
        try {
            write(pipe.write);
        } catch (...) {
            write_failure = std::current_exception();
        }
        pipe.write.reset();
    });
    try {
        read(pipe.read);
    } catch (...) {
        read_failure = std::current_exception();
    }
    pipe.read.reset();
    writer.join();
    // A writer that found nobody reading any more has nothing to tell, and a reader of half a stream has not much.
    if (write_failure) {
        try {
            std::rethrow_exception(write_failure);
        } catch (const Error& error) {
            if (error.code() != EPIPE || !read_failure) throw;
        }
    }
    if (read_failure) std::rethrow_exception(read_failure);
}

/// A file system that takes nothing is named by where the user wanted to write.
template <class Write>
void writing_to(const std::string& path, const Write& write) {
    try {
        write();
    } catch (const Error& error) {
        if (error.code() != EROFS) throw;
        throw make_error(ErrorKind::conflict, "cannot copy to {}: it is read-only in the container", quote(path));
    }
}

void pack(sys::FdRef root, const std::string& path, const image::PackOptions& options, sys::FdRef out) {
    image::FdSink sink(out);
    image::pack_tree(root, path, sink, options);
    sink.flush();
}

}  // namespace

PathInfo path_info(sys::FdRef root, const std::string& path, bool follow) {
    const auto place = follow ? resolve(root, path) : path;
    const auto info = look(root, place);
    if (!info) throw make_error(ErrorKind::not_found, "could not find the file {} in the container", path);
    constexpr std::uint32_t kTypes[] = {0100000, 0040000, 0120000, 0010000, 0020000, 0060000, 0140000};
    PathInfo out;
    out.name = last_of(path);
    out.size = info->size;
    out.mtime = info->mtime_s * 1'000'000'000 + info->mtime_ns;
    out.mode = info->mode | kTypes[static_cast<std::size_t>(info->kind)];
    out.directory = info->kind == sys::FileKind::directory;
    if (info->kind == sys::FileKind::symlink)
        if (const auto dir = sys::find_directory_in_root(root, parent_of(place), sys::Missing::anything_else))
            out.link_target = sys::read_link_at(*dir, last_of(place));
    return out;
}

void copy_out(sys::FdRef root, const std::string& path, const std::string& host_path, const CopyOptions& options) {
    const auto source = options.follow_links || path.ends_with('/') || is_content(path) ? resolve(root, path) : path;
    const auto info = path_info(root, source, false);
    std::optional<sys::FileInfo> there;
    const auto destination = sys::absolute_path(host_path) + (host_path.ends_with('/') ? "/" : "");
    if (sys::exists(destination)) {
        there.emplace();
        there->kind = sys::is_directory(destination) ? sys::FileKind::directory : sys::FileKind::regular;
    }
    const auto target = choose_target(path, info.directory, destination, there, sys::is_directory);
    const auto directory = sys::open_directory(sys::real_path(target.directory));
    const bool content = target.name.empty();
    image::UnpackOptions unpack;
    unpack.keep_owner = options.archive;
    unpack.owner = sys::effective_user();
    unpack.group = sys::effective_group();
    unpack.drop_set_id = true;
    if (image::copy_regular_file(root, source, directory, ".", target.name, unpack)) return;
    stream(
        [&](sys::FdRef out) {
            pack(root, source, {.name = target.name, .hard_links = false, .content_only = content}, out);
        },
        [&](sys::FdRef in) { image::unpack_tree(in, directory, ".", unpack); });
}

void copy_in(const std::string& host_path, sys::FdRef root, const std::string& path, const CopyOptions& options) {
    const auto host = sys::open_directory("/");
    auto source = sys::absolute_path(host_path);
    if (options.follow_links || is_content(host_path) || host_path.ends_with('/')) source = sys::real_path(source);
    // Parents may be links of the host's own, which mean what they say here.
    if (parent_of(source) != "/") source = sys::real_path(parent_of(source)) + "/" + last_of(source);
    const auto found = look(host, source);
    if (!found) throw make_error(ErrorKind::not_found, "no such file or directory: {}", quote(host_path));
    const bool is_directory = found->kind == sys::FileKind::directory;
    const auto destination = resolve(root, path);
    const auto named = host_path.find_last_not_of('/') == std::string::npos || is_content(host_path)
                           ? source + (is_content(host_path) ? "/." : "")
                           : source;
    const auto target =
        choose_target(named, is_directory, destination + (path.ends_with('/') && destination != "/" ? "/" : ""),
                      look(root, destination), [&](const std::string& directory) {
                          return sys::find_directory_in_root(root, directory, sys::Missing::anything_else).has_value();
                      });
    image::UnpackOptions unpack;
    unpack.keep_owner = options.archive;
    const bool content = target.name.empty();
    writing_to(path, [&] {
        if (image::copy_regular_file(host, source, root, target.directory, target.name, unpack)) return;
        stream(
            [&](sys::FdRef out) {
                pack(host, source, {.name = target.name, .hard_links = false, .content_only = content}, out);
            },
            [&](sys::FdRef in) { image::unpack_tree(in, root, target.directory, unpack); });
    });
}

void mirror(const std::string& host_path, const std::vector<std::string>& relative, sys::FdRef root,
            const std::string& target) {
    // A single file goes to where `target` says, under that name.
    const bool file = !sys::is_directory(host_path);
    const auto base = file ? parent_of(host_path) : host_path;
    const auto place = file ? parent_of(target) : target;
    std::vector<std::string> names;
    for (const auto& path : relative) {
        const auto host = path.empty() ? host_path : host_path + "/" + path;
        const auto there = file ? target : target + "/" + path;
        if (sys::exists_no_follow(host)) {
            if (file)
                names.push_back(last_of(host_path));
            else if (!path.empty())
                names.push_back(path);
            continue;
        }
        const auto dir = sys::find_directory_in_root(root, parent_of(there), sys::Missing::anything_else);
        if (dir && last_of(there) != "/") sys::remove_tree_at(*dir, last_of(there));
    }
    if (names.empty()) return;
    sys::make_directories_in_root(root, place);
    image::UnpackOptions unpack;
    unpack.replace_kinds = true;
    if (file) {
        unpack.rename_from = last_of(host_path);
        unpack.rename_to = last_of(target);
    }
    const auto from = sys::open_directory(base);
    stream(
        [&](sys::FdRef out) {
            image::FdSink sink(out);
            image::pack_paths(from, names, sink);
            sink.flush();
        },
        [&](sys::FdRef in) { image::unpack_tree(in, root, place, unpack); });
}

void archive_out(sys::FdRef root, const std::string& path, sys::FdRef out, const CopyOptions& options) {
    const auto source = options.follow_links ? resolve(root, path) : path;
    (void)path_info(root, source, false);
    pack(root, source,
         {.name = is_content(path)       ? ""
                  : last_of(path) == "/" ? ""
                                         : last_of(path),
          .hard_links = false,
          .content_only = false},
         out);
}

void archive_in(sys::FdRef root, const std::string& path, sys::FdRef in) {
    if (!sys::find_directory_in_root(root, path, sys::Missing::anything_else))
        throw make_error(ErrorKind::not_found, "{} is no directory in the container", quote(path))
            .with_hint("an archive is unpacked into a directory that exists");
    image::UnpackOptions unpack;
    unpack.keep_owner = true;
    writing_to(path, [&] { image::unpack_tree(in, root, path, unpack); });
}

}  // namespace compose::engine
