// Probabilities of all training rows, each by a model that has not seen it.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "trainer/assembly/world.h"
#include "trainer/config/run_config.h"
#include "trainer/metrics/confident_learning.h"

namespace sft {

struct OutOfSample {
  LabelledProbabilities rows;        // in the order of the training data; rows without a label are left out
  std::vector<int64_t> row_numbers;  // of the input, from 0, that each was made of
  StringList label_names;            // by id
  bool stopped = false;              // a signal came; there are no rows
};

// Trains one model a fold on the rows of all others, as the config says, without evaluations, checkpoints or exports.
// Rows with equal inputs are in one fold, whatever the number of ranks. `told` is called by every rank before each
// fold, with the number of rows that it holds out. Every rank calls; the result is the same on all of them.
// ConfigError where the task does not give a row one label, DataError where a fold has no row, or all of them.
OutOfSample cross_validate(const LoadedConfig& loaded, const World& world, int64_t folds,
                           const std::function<void(int64_t fold, int64_t held_out)>& told);

}  // namespace sft
