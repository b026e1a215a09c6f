// What every command knows: the global options, the environment, where colours and progress go, the engine. Made once
// by app.cpp and handed to the command that runs.
#pragma once

#include <compose/containers.hpp>
#include <compose/engine.hpp>
#include <compose/images.hpp>
#include <compose/load.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/render_progress.hpp"
#include "sys/env.hpp"

namespace compose::cli {

class Arguments;
class RememberingFiles;

struct Globals {
    std::vector<std::string> files;
    std::optional<std::string> project_name;
    std::optional<std::string> project_directory;
    std::vector<std::string> env_files;
    std::vector<std::string> profiles;
    std::vector<std::string> insecure_registries;
    std::optional<std::string> progress;
    std::optional<std::string> ansi;
    std::optional<int> parallel;
    bool dry_run = false;
    bool all_resources = false;
    bool compatibility = false;
    bool debug = false;
    bool version = false;
    std::string host, docker_context, log_level;  // Docker's own, which name a machine and how much to tell
};
void define_globals(Arguments& arguments, Globals& globals);

class Context {
public:
    /// Throws Error(usage) for a wrong --progress, --ansi or --parallel.
    Context(Globals globals, sys::Environment environment, std::string command_line);
    ~Context();

    const Globals globals;
    const sys::Environment environment;
    const std::string command_line;  // "compose up -d", for the holder of a lock
    bool color_out = false;
    bool color_err = false;
    ProgressMode progress_mode = ProgressMode::plain;

    /// A variable's value; empty when unset.
    [[nodiscard]] std::string variable(const std::string& name) const;
    [[nodiscard]] bool variable_is_true(const std::string& name) const;

    /// The one progress of the command; `title` heads the live table.
    [[nodiscard]] Progress& progress(const std::string& title);
    void finish_progress();
    /// The one engine of the command, telling progress().
    [[nodiscard]] Engine& engine(const std::string& title = {});
    /// The same for single containers.
    [[nodiscard]] Containers& containers(const std::string& title = {});
    [[nodiscard]] std::unique_ptr<Containers> make_containers(EventSink& events) const;
    [[nodiscard]] EngineOptions engine_options() const;
    /// Images, telling progress().
    [[nodiscard]] Images& images(const std::string& title = {});
    /// A further one, for a thread of its own.
    [[nodiscard]] std::unique_ptr<Engine> make_engine(EventSink& events) const;
    /// The files of this machine; standard input is read once and remembered.
    /// This process's environment with what .env files add: what "-e NAME" means.
    [[nodiscard]] std::map<std::string, std::string> project_environment();
    /// The environment in which registries are asked, with --insecure-registry in it.
    [[nodiscard]] sys::Environment registry_environment() const;
    [[nodiscard]] FileSource& files();
    /// The address that a file of a loaded project was fetched from; empty for one of this machine.
    [[nodiscard]] std::string address_of(const std::string& file) const;
    /// Those that fetched files made us fetch.
    [[nodiscard]] std::vector<std::string> addresses_of_strangers() const;

    void warn(const std::string& message, const std::string& hint = {});
    /// For commands that cannot say what they would do.
    void refuse_dry_run(const char* command) const;
    /// In a dry run: says what would be done, "Container p-web-1" "Copied", and returns true.
    [[nodiscard]] bool only_say(const std::string& id, const std::string& text);
    /// "Container p-web-1" "Copying" ... "Copied"; in a dry run without doing it.
    void say_and_do(const std::string& id, const std::string& doing, const std::string& done,
                    const std::function<void()>& action);

private:
    std::unique_ptr<Progress> progress_;
    std::unique_ptr<Engine> engine_;
    std::unique_ptr<Containers> containers_;
    std::unique_ptr<Images> images_;
    std::unique_ptr<RememberingFiles> files_;
};

}  // namespace compose::cli
