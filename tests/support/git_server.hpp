// A repository served by git's own daemon, on an address that stands for a server somewhere else.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/strings.hpp"
#include "support/background.hpp"
#include "support/builds.hpp"
#include "support/sandbox.hpp"
#include "sys/file.hpp"

namespace compose::test {

class GitServer {
public:
    /// An empty one, with the branch main.
    explicit GitServer(const Sandbox& box) : box_(box), folder_(box.path("../git/repo")) {
        std::filesystem::create_directories(folder_);
        (void)box.host({"ip", "addr", "add", std::string(kElsewhere) + "/32", "dev", "lo"});
        git({"init", "--quiet", "--initial-branch=main"});
    }
    [[nodiscard]] static bool is_there(const Sandbox& box) { return std::filesystem::exists(daemon(box)); }

    void put(const std::string& name, const std::string& text) const {
        std::filesystem::create_directories(std::filesystem::path(folder_ + "/" + name).parent_path());
        sys::write_file(folder_ + "/" + name, text);
    }
    void link(const std::string& target, const std::string& name) const {
        std::filesystem::create_symlink(target, folder_ + "/" + name);
    }
    void commit(const std::string& message) const {
        git({"add", "-A"});
        git({"commit", "--quiet", "-m", message});
    }
    std::string git(std::vector<std::string> words) const {
        words.insert(words.begin(), {"git", "-C", folder_, "-c", "user.name=t", "-c", "user.email=t@example.org"});
        const auto done = box_.host(words);
        EXPECT_EQ(done.exit_code, 0) << join(words, " ") << "\n" << done.err;
        return std::string(trim(done.out));
    }
    void serve() {
        process_ = std::make_unique<Background>(
            box_,
            std::vector<std::string>{daemon(box_), "--reuseaddr", "--export-all", "--listen=0.0.0.0",
                                     "--base-path=" + box_.path("../git")},
            box_.path("../git.log"));
        if (!eventually([&] { return box_.host({"git", "ls-remote", url()}).ok(); }, std::chrono::seconds(30)))
            ADD_FAILURE() << "git daemon does not answer";
    }
    void stop() { process_.reset(); }
    [[nodiscard]] static std::string url(const std::string& host = kElsewhere) { return "git://" + host + "/repo"; }

private:
    // Not `git daemon`, which would leave it behind.
    static std::string daemon(const Sandbox& box) {
        return std::string(trim(box.host({"git", "--exec-path"}).out)) + "/git-daemon";
    }

    const Sandbox& box_;
    std::string folder_;
    std::unique_ptr<Background> process_;
};

}  // namespace compose::test
