// A project for tests: state and run folders of its own, a network namespace of its own, containers with a busybox
// root, and the real keeper and supervisor. At the end everything must be gone.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "net/address.hpp"
#include "runtime/spec.hpp"
#include "store/store.hpp"
#include "supervisor/client.hpp"
#include "supervisor/log_reader.hpp"

namespace compose::supervisor::test {

/// Looks until it holds; false when `patience` is over.
[[nodiscard]] bool eventually(const std::function<bool()>& condition,
                              std::chrono::milliseconds patience = std::chrono::seconds(20));

class World : public testing::Test {
protected:
    static void SetUpTestSuite();
    void SetUp() override;
    void TearDown() override;

    struct Wish {
        std::vector<std::string> args = {};  // or:
        std::string script = {};             // for sh -c
        std::string restart = "no";
        std::string health_json = {};
        std::string ports_json = {};
        std::int64_t stop_timeout_ns = 10'000'000'000;
        bool terminal = false;
        std::string network = {};  // id
        std::vector<std::string> aliases = {};
    };
    /// Its row and its folders; returns its id.
    std::string make(const std::string& name, const Wish& wish);
    std::string make_network(const std::string& subnet);
    [[nodiscard]] Client client() { return Client::connect_or_spawn(layout_, project_); }
    [[nodiscard]] store::Container row(const std::string& id) { return *store_->container(id); }
    [[nodiscard]] bool becomes(const std::string& id, store::ContainerState state);
    [[nodiscard]] std::string log(const std::string& id, LogQuery query = {});
    /// Runs a command in the container and gives its output; `code` gets the exit code.
    std::string exec(const std::string& id, const std::string& script, int* code = nullptr);
    /// 0: there is none.
    [[nodiscard]] int resident(const std::string& role) const;
    [[nodiscard]] bool has_cgroup(const std::string& id) const;

    std::string folder_, project_;
    store::Layout layout_;
    std::unique_ptr<store::Store> store_;
    std::vector<std::string> ids_;
    std::vector<std::string> bridges_;
};

}  // namespace compose::supervisor::test
