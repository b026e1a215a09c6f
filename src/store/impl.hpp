// What the files of Store share. Private to this layer.
#pragma once

#include "base/error.hpp"
#include "store/codec.hpp"
#include "store/database.hpp"
#include "store/store.hpp"

namespace compose::store {

struct Store::Impl {
    explicit Impl(Layout where) : layout(std::move(where)), db(layout.database()) {}

    Layout layout;
    Database db;
    std::string installation;
};

/// "a, b and 3 more": for messages that name who is in the way.
[[nodiscard]] std::string name_some(const std::vector<std::string>& names);

}  // namespace compose::store
