// Where a build's files come from: the context, named contexts, the Dockerfile and its .dockerignore. Remote ones are
// fetched into the build's workspace first; a folder is read where it is.
#pragma once

#include <compose/build.hpp>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "build/file_digests.hpp"
#include "build/source_tree.hpp"
#include "engine/build_workspace.hpp"

namespace compose::engine {

class BuildSources {
public:
    /// Opens the context and reads the Dockerfile. Throws Error; what is wrong with .dockerignore too.
    BuildSources(const BuildRequest& request, BuildWorkspace& workspace, const store::Layout& layout,
                 std::stop_token cancel);
    ~BuildSources();  // keeps the digests of the context's files

    [[nodiscard]] const std::string& dockerfile_name() const { return dockerfile_name_; }
    [[nodiscard]] const std::string& dockerfile_text() const { return dockerfile_text_; }
    [[nodiscard]] const build::SourceTree& context() const { return *context_; }
    /// The folder behind a named context; null when it is an image, or there is none of that name.
    [[nodiscard]] const build::SourceTree* named_folder(const std::string& name);
    /// The image that a named context stands for: a name, an id, or one in a folder ("oci-layout://...").
    [[nodiscard]] std::optional<std::string> named_image(const std::string& name) const;
    [[nodiscard]] std::vector<std::string> names() const;

private:
    struct Folder {
        std::unique_ptr<build::FileDigests> digests;
        std::unique_ptr<build::SourceTree> tree;
    };
    [[nodiscard]] Folder open_folder(const std::string& path, const std::string& ignore_text, const std::string& name);
    [[nodiscard]] std::string fetch(const std::string& address);
    [[nodiscard]] std::string spool(sys::FdRef input);
    [[nodiscard]] std::string context_of(const std::string& file);
    void read_dockerfile(const std::string& folder, bool remote);

    const BuildRequest& request_;
    BuildWorkspace& workspace_;
    store::Layout layout_;
    std::stop_token cancel_;
    std::unique_ptr<build::FileDigests> digests_;
    std::unique_ptr<build::SourceTree> context_;
    std::map<std::string, Folder> named_;
    std::mutex mutex_;
    std::string dockerfile_name_, dockerfile_text_;
    std::string ignore_text_, ignore_name_;
};

}  // namespace compose::engine
