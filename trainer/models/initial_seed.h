// What random weights are drawn from.
#pragma once

#include <cstdint>
#include <optional>

namespace sft {

// Nothing: they stay undefined, for weight files to fill.
using InitialSeed = std::optional<uint64_t>;

}  // namespace sft
