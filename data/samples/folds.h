// K-fold cross-validation: which fold a sample is in. Pure functions of its content and a seed, so that neither the
// order of rows nor the number of ranks matters, and equal inputs are held out together.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/samples/dataset.h"

namespace sft {

// 0 … folds − 1, of a key of 64 well-mixed bits; each fold has its share of keys as near as chance allows.
int64_t fold_of(uint64_t key, int64_t folds);

// Equal for samples whose columns of Role::input are equal, whatever their labels are.
uint64_t key_of_inputs(const Dataset& dataset, int64_t sample, uint64_t seed);

// The chosen samples of `base`, in the order given, which is ascending. `base` is borrowed and must outlive it; rows
// keep their numbers.
std::unique_ptr<Dataset> chosen_of(const Dataset& base, std::vector<int64_t> samples);

}  // namespace sft
