// For debugging: before each collective the ranks tell one another what they are about to call, so
// that calls which do not belong together are an error that names the rank, not a hang or garbage.
#pragma once

#include <memory>

#include "comm/observed.h"

namespace sft {

// `side` carries host values between the same ranks; without it a part of `inner` does, which must
// then be a communicator of host memory. Costs a small all-gather a call.
std::unique_ptr<Communicator> verified(std::unique_ptr<Communicator> inner,
                                       std::unique_ptr<Communicator> side = nullptr);

}  // namespace sft
