// How much each class counts in the loss.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/schema.h"

namespace sft {

// One weight a class, by id. `balanced` is scikit-learn's compute_class_weight: rows / (classes · rows of the class),
// over the classes that occur; one that does not occur weighs 1. By name: a class that is not named weighs 1.
// ConfigError for a name that is no label, or a weight that is negative or not finite.
std::vector<double> class_weights(const WordOrNumbers& wanted, const std::vector<std::string>& names,
                                  const std::vector<int64_t>& counts);

}  // namespace sft
