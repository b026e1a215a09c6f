// What the files that implement Images share.
#pragma once

#include <compose/images.hpp>

#include "store/store.hpp"

namespace compose {

struct Images::Impl {
    EngineOptions options;
    EventSink& events;
    store::Layout layout;

    [[nodiscard]] store::Store open() const;
};

}  // namespace compose
