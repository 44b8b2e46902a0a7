// How often each label stands in a training split, for weights that balance them.
#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.h"
#include "data/samples/dataset.h"

namespace sft {

// By id; of samples with classes, sets of them or classes a token. Every rank calls and counts its share; the sum is
// the same on all of them.
std::vector<int64_t> count_labels(const Dataset& dataset, size_t num_labels, Communicator& control);

}  // namespace sft
