// A store in a folder of its own, and rows to put into it.
#pragma once

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "store/store.hpp"
#include "sys/clock.hpp"

namespace compose::store::test {

class StoreTest : public ::testing::Test {
protected:
    StoreTest()
        : root_(std::filesystem::temp_directory_path() / ("compose-store-" + sys::random_id().substr(0, 12))),
          layout_(Layout::from(root_ / "state", root_ / "run")) {
        layout_.prepare();
    }
    ~StoreTest() override {
        std::error_code ignored;
        std::filesystem::remove_all(root_, ignored);
    }

    std::filesystem::path root_;
    Layout layout_;
};

inline Container make_container(const std::string& id, const std::string& name, const std::string& project = "p") {
    Container c;
    c.id = id;
    c.name = name;
    c.project = project;
    c.service = "web";
    c.number = 1;
    c.config_hash = "hash";
    c.labels = {{"com.docker.compose.project", project}, {"odd \"key\"", "line\nbreak"}};
    c.config.spec = "{\"args\":[\"/bin/true\"]}";
    c.config.image = "debian";
    c.created_at = 1'700'000'000'000'000'000;
    return c;
}

inline Network make_network(const std::string& id, const std::string& name, const std::string& project = "p") {
    Network n;
    n.id = id;
    n.name = name;
    n.project = project;
    n.key = "default";
    n.bridge = "br-" + id;
    n.labels = {{"a", "b"}};
    return n;
}

inline Volume make_volume(const std::string& name, const std::string& project) {
    Volume v;
    v.name = name;
    v.project = project;
    v.key = "data";
    return v;
}

template <class Body>
Error error_of(Body body) {
    try {
        body();
    } catch (const Error& error) {
        return error;
    }
    ADD_FAILURE() << "no error";
    return Error("none");
}

}  // namespace compose::store::test
