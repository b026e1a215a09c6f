// One stage from its base to its last instruction: every step is looked for in the cache, or carried out and kept
// there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "build/evaluator.hpp"
#include "build/tree_writer.hpp"
#include "engine/build_fetch.hpp"
#include "engine/build_shared.hpp"
#include "runtime/spec.hpp"
#include "sys/dir.hpp"

namespace compose::engine {

class StageBuilder {
public:
    StageBuilder(BuildShared& shared, const build::Stage& stage);
    /// Throws BuildFailure, with the place among the findings.
    [[nodiscard]] BuiltLayers run();

private:
    struct Told {
        int number = 0;
        std::string title;
        std::int64_t began = 0;
    };
    struct Layer {
        std::string chain_id;  // empty: nothing changed
        std::string diff_id;
        std::int64_t size = 0;
        std::int64_t created_at = 0;
    };
    struct Folders {
        std::string path, upper, work;
    };

    void begin();
    void carry_out(const build::Instruction& one);
    void perform(const build::Step& step);
    [[nodiscard]] Layer run_command(const build::Step& step, const build::RunStep& run, const Told& told);
    [[nodiscard]] Layer copy(const build::CopyStep& copy);
    [[nodiscard]] Layer make_workdir(const build::WorkdirStep& step);
    /// The layer under the key, or what `make` gives.
    template <class Make>
    void cached(const build::Step& step, const std::string& key, const Make& make);
    /// What the cache knows under the key, if its layer is there, or can be put on what is built so far.
    [[nodiscard]] std::optional<Layer> find_layer(const build::Step& step, const std::string& key);
    [[nodiscard]] bool relink(const Layer& layer, const std::string& chain_id);
    /// The root folder as it is below the next layer.
    [[nodiscard]] sys::FileInfo root_below() const;
    void add_layer(const build::Step& step, const Layer& layer);
    void note_step(const std::string& key, const Layer& layer);
    void add_history(const build::Step& step, std::int64_t created_at, bool empty);

    [[nodiscard]] std::string run_key(const build::Step& step, const build::RunStep& run);
    [[nodiscard]] std::string copy_key(const build::CopyStep& copy);
    [[nodiscard]] std::string sources_digest(const build::CopyStep& copy);
    [[nodiscard]] static bool is_remote(const build::CopyStep& copy, const std::string& source);
    [[nodiscard]] std::string remote_digest(const build::CopyStep& copy, const std::string& source);
    [[nodiscard]] const std::string& commit(const std::string& source);
    [[nodiscard]] const FetchedFile& fetch(const std::string& source);
    void add_remote(const build::CopyStep& copy, const std::string& source, build::TreeWriter& writer);
    [[nodiscard]] bool add_archive(const build::CopyStep& copy, const build::SourceTree& tree,
                                   const build::FoundSource& found, build::TreeWriter& writer);
    void unpack(sys::FdRef archive, const std::string& target, build::TreeWriter& writer);
    [[nodiscard]] build::Owner owner(const std::string& text, bool primary_group) const;

    [[nodiscard]] Folders new_folders();
    [[nodiscard]] Layer adopt(const Folders& folders);
    [[nodiscard]] runtime::ContainerSpec container_spec(const build::RunStep& run, const Folders& folders);
    /// Returns the hooks that come with them.
    [[nodiscard]] std::vector<runtime::HostHook> add_devices(const build::RunStep& run, runtime::ContainerSpec& spec);
    void write_host_files(runtime::ContainerSpec& spec, const Folders& folders, const BuildNetwork::Seat* seat);

    [[nodiscard]] Told tell_started(const std::string& title);
    void tell(BuildEvent::Kind kind, const Told& told, const std::string& text = {}) const;
    [[noreturn]] void fail(SourcePos pos, const Error& error, const std::string& output = {});
    [[nodiscard]] bool uses_cache() const;

    BuildShared& shared_;
    const build::Stage& stage_;
    store::Store store_;
    store::BuildCache cache_;
    BuiltLayers built_;
    std::optional<build::StageEvaluator> evaluator_;
    int step_ = 0, steps_ = 0;
    Told current_;
    std::map<std::string, FetchedFile> fetched_;  // by address
    std::map<std::string, std::string> commits_;  // of repositories that ADD names, asked once
};

}  // namespace compose::engine
