// A lock on the network namespace of the calling thread: among all processes in it, whatever installation they serve.
// Held while a free subnet is looked for and taken, which the kernel can't do in one step.
#pragma once

#include "sys/fd.hpp"

namespace compose::sys {

class NetnsLock {
public:
    NetnsLock();  // waits

private:
    Fd fd_;
};

}  // namespace compose::sys
