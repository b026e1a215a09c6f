// A base image of a distribution's own packages, through mmdebstrap: where no registry has one, or none is trusted.
#include <compose/images.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "engine/image_store.hpp"
#include "engine/images_impl.hpp"
#include "image/reference.hpp"
#include "sys/clock.hpp"
#include "sys/command.hpp"
#include "sys/file.hpp"

namespace compose {

namespace {

constexpr std::size_t kMaxOutput = std::size_t{1} << 20U;
constexpr std::chrono::minutes kTimeout{60};

/// Letters, digits and a few signs: what is handed to a program as an argument must not look like an option.
bool is_plain_word(std::string_view text) {
    return !text.empty() && text[0] != '-' &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-:=~/_") ==
               std::string_view::npos;
}

struct Suite {
    std::string name;
    bool slim = false;
};

Suite suite_of(const image::Reference& name) {
    Suite suite{name.tag, false};
    constexpr std::string_view kSlim = "-slim";
    if (suite.name.ends_with(kSlim)) {
        suite.name.resize(suite.name.size() - kSlim.size());
        suite.slim = true;
    }
    if (suite.name == "latest") suite.name = "stable";
    return suite;
}

/// This machine's own package sources, if it is of the same distribution: its mirror and keys are known to work.
std::string own_sources(const std::string& distribution) {
    const std::vector<std::string> paths{"/etc/apt/sources.list.d/" + distribution + ".sources",
                                         "/etc/apt/sources.list"};
    for (const std::string& path : paths) {
        const auto text = sys::read_file_if_exists(path);
        if (text && text->find(distribution) != std::string::npos) return path;
    }
    return {};
}

std::vector<std::string> command_line(const BootstrapOptions& options, const std::string& distribution,
                                      const Suite& suite, const std::string& target) {
    std::vector<std::string> argv{"mmdebstrap", "--quiet", "--format=tar", "--variant=minbase"};
    if (!options.include.empty()) argv.push_back("--include=" + join(options.include, ","));
    if (suite.slim) {
        for (const char* path : {"/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*", "/usr/share/doc/*"})
            argv.push_back(std::string("--dpkgopt=path-exclude=") + path);
        argv.emplace_back("--dpkgopt=path-include=/usr/share/doc/*/copyright");
    }
    argv.push_back(suite.name);
    argv.push_back(target);
    if (!options.mirror.empty())
        argv.push_back(options.mirror);
    else if (const auto sources = own_sources(distribution); !sources.empty())
        argv.push_back(sources);
    return argv;
}

/// A file that goes away, whatever happens.
struct TemporaryFile {
    explicit TemporaryFile(std::string where) : path(std::move(where)) {}
    ~TemporaryFile() {
        try {
            sys::remove_file(path);
        } catch (const Error&) {  // the next clean-up takes it
            return;
        }
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    std::string path;
};

}  // namespace

std::string Images::bootstrap(const BootstrapOptions& options, std::stop_token cancel) {
    const auto name = image::parse_reference(options.name);
    const auto distribution = name.repository.substr(name.repository.rfind('/') + 1);
    if (distribution != "debian" && distribution != "ubuntu")
        throw make_error(ErrorKind::usage, "{} can't be made of packages", quote(options.name))
            .with_hint("only debian:SUITE and ubuntu:SUITE can, for example debian:bookworm-slim");
    const auto suite = suite_of(name);
    for (const auto& word : options.include)
        if (!is_plain_word(word)) throw make_error(ErrorKind::usage, "{} is no name of a package", quote(word));
    if (!is_plain_word(suite.name)) throw make_error(ErrorKind::usage, "{} is no suite", quote(suite.name));
    if (!options.mirror.empty() && !is_plain_word(options.mirror))
        throw make_error(ErrorKind::usage, "{} is no mirror", quote(options.mirror));

    auto store = impl_->open();
    const auto id = "Image " + name.familiar();
    sys::make_directory(store.layout().blobs(), 0700);
    sys::make_directory(store.layout().blobs() + "/partial", 0700);
    const TemporaryFile tar(store.layout().blobs() + "/partial/tmp-" + sys::random_id().substr(0, 16) + ".tar");
    impl_->events.on_event({Event::Status::working, id, "Installing packages", {}, 0, 0});
    sys::Command command;
    command.argv = command_line(options, distribution, suite, tar.path);
    command.merge_stderr = true;
    command.output_limit = kMaxOutput;
    command.timeout = kTimeout;
    const auto result = in_context([] { return "mmdebstrap (of the Debian package of that name)"; },
                                   [&] { return sys::run_command(command); });
    if (cancel.stop_requested()) throw Error("interrupted").with_exit_code(130);
    if (!result.ok()) {
        impl_->events.on_event({Event::Status::error, id, "Error", {}, 0, 0});
        const auto tail = result.out.size() > 2000 ? result.out.substr(result.out.size() - 2000) : result.out;
        throw make_error("mmdebstrap has failed with status {}:\n{}", result.exit_code, trim(tail));
    }
    impl_->events.on_event({Event::Status::working, id, "Importing", {}, 0, 0});
    const auto file = sys::open_for_reading(tar.path);
    const auto image = engine::import_image(
        store, impl_->events, file.get(), options.name,
        {"CMD [\"bash\"]", "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        join(command.argv, " "));
    impl_->events.on_event({Event::Status::done, id, "Created", {}, 0, 0});
    return image;
}

}  // namespace compose
