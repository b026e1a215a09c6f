// The tests' program is the resident program too: a keeper is always started from the program that asks for one.
#include <gtest/gtest.h>

#include "supervisor/entry.hpp"

int main(int argc, char** argv) {
    if (compose::supervisor::is_resident(argc, argv)) return compose::supervisor::run_resident(argc, argv);
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
