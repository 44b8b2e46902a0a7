// Lets the conformance suite, whose values lie in host memory, run over a communicator of device
// memory: each buffer is copied there and back.
#pragma once

#include <memory>

#include "comm/communicator.h"

namespace sft::test {

// `device` is the CUDA device of `inner`.
std::unique_ptr<Communicator> staged(std::unique_ptr<Communicator> inner, int device);

}  // namespace sft::test
