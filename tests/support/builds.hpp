// Builds as tests make them: a Dockerfile as text, the image's files, and a web server for what lies elsewhere.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/strings.hpp"
#include "support/background.hpp"
#include "support/sandbox.hpp"
#include "sys/file.hpp"

namespace compose::test {

/// Builds the Dockerfile in the sandbox's folder under the name "built".
inline Result build(const Sandbox& box, const std::string& dockerfile, std::vector<std::string> more = {}) {
    box.write("Dockerfile", dockerfile);
    std::vector<std::string> arguments{"image", "build", "-t", "built", "--progress", "plain"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    arguments.emplace_back(".");
    return box.compose(arguments);
}

inline Result built(const Sandbox& box, const std::string& dockerfile, std::vector<std::string> more = {}) {
    auto result = build(box, dockerfile, std::move(more));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result;
}

/// What a shell in the image prints.
inline std::string in_image(const Sandbox& box, const std::string& script) {
    const auto out = box.path("view");
    const auto exported = box.compose({"image", "build", "-q", "-o", "type=local,dest=" + out, "-f", "-", "."},
                                      "FROM built\nUSER 0\nRUN " + script + " > /out\n");
    EXPECT_EQ(exported.exit_code, 0) << exported.err;
    if (!exported.ok()) return {};
    auto text = sys::read_file(out + "/out");
    std::filesystem::remove_all(out);
    return text;
}

/// The image's files, as a folder of the host.
inline std::string view(const Sandbox& box) {
    const auto out = box.path("../view");
    const auto context = box.path("../nothing");
    std::filesystem::remove_all(out);
    std::filesystem::create_directories(context);
    const auto done =
        box.compose({"image", "build", "-q", "-o", "type=local,dest=" + out, "-f", "-", context}, "FROM built\n");
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return out;
}

inline std::size_t count(const std::string& text, const std::string& what) {
    std::size_t n = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
    return n;
}

/// An address that stands for a server somewhere else; the namespace is thrown away with the sandbox.
inline constexpr const char* kElsewhere = "10.99.0.1";
inline constexpr const char* kElsewhereToo = "10.99.0.2";

/// tests/support/file_server.py with a folder of its own outside of the build's context.
class FileServer {
public:
    explicit FileServer(const Sandbox& box) : folder_(box.path("../web")) {
        std::filesystem::create_directories(folder_);
        for (const std::string address : {kElsewhere, kElsewhereToo})
            (void)box.host({"ip", "addr", "add", address + "/32", "dev", "lo"});
        process_ = std::make_unique<Background>(
            box,
            std::vector<std::string>{"python3", std::string(PROJECT_ROOT) + "/tests/support/file_server.py", folder_},
            folder_ + "/server.log");
        if (!eventually([&] { return std::filesystem::exists(folder_ + "/port"); }, std::chrono::seconds(30)))
            ADD_FAILURE() << "the server does not start";
        else
            port_ = sys::read_file(folder_ + "/port");
    }
    [[nodiscard]] std::string url(const std::string& path, const std::string& host = kElsewhere) const {
        return "http://" + host + ":" + port_ + "/" + path;
    }
    /// A redirect from elsewhere to `path` on `host`.
    [[nodiscard]] std::string redirect(const std::string& host, const std::string& path) const {
        return url("to/" + port_ + "/" + host + "/" + path);
    }
    void put(const std::string& name, const std::string& text) const { sys::write_file(folder_ + "/" + name, text); }
    [[nodiscard]] std::vector<std::string> asked() const {
        return std::filesystem::exists(folder_ + "/log")
                   ? split(std::string(trim(sys::read_file(folder_ + "/log"))), '\n')
                   : std::vector<std::string>{};
    }
    [[nodiscard]] const std::string& folder() const { return folder_; }
    [[nodiscard]] const std::string& port() const { return port_; }

private:
    std::string folder_, port_;
    std::unique_ptr<Background> process_;
};

}  // namespace compose::test
