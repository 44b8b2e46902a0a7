// A world of one.
#pragma once

#include <memory>
#include <string>

#include "comm/communicator.h"
#include "comm/placement.h"

namespace sft::solo {

// Why this backend cannot be used here; empty where it can.
std::string unavailable(const Placement& placement);

std::unique_ptr<Communicator> connect(const Placement& placement);

}  // namespace sft::solo
