// How much a label counts where a sample has it, against where it does not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/schema.h"

namespace sft {

// One a label, by id: torch's BCEWithLogitsLoss(pos_weight). `balanced`: rows without the label / rows with it, so that
// both sides weigh the same; 1 for a label that no row has. By name: a label that is not named weighs 1. ConfigError
// for a name that is no label, or a weight that is negative or not finite.
std::vector<double> pos_weights(const WordOrNumbers& wanted, const std::vector<std::string>& names,
                                const std::vector<int64_t>& counts, int64_t num_rows);

}  // namespace sft
