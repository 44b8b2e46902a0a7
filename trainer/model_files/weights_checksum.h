// Weights by their content: a path is no proof of what stands at it.
#pragma once

#include <string>

#include "trainer/model_files/adapter_files.h"

namespace sft {

// Eight hexadecimal digits over names, dtypes, shapes and bytes of all tensors, in the order of their names, so that it
// does not matter in how many files they stand. Reads all of them.
std::string checksum_of(const WeightFiles& weights);
std::string checksum_of(const AdapterFiles& adapter);

}  // namespace sft
