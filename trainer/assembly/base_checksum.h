// What a checkpoint without the base's weights remembers of them.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "comm/communicator.h"
#include "trainer/models/parameter.h"

namespace sft {

// The CRC-32C of the parameters one after the other, as files have them, their numbers in `type`: however narrow they
// are held. Each rank reads its share. Every rank calls, with the same parameters.
std::string base_checksum(const Parameters& parameters, at::ScalarType type, Communicator& control);

}  // namespace sft
