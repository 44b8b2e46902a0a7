// What learns in a run: the model and its task, and which of their parameters are trained.
#pragma once

#include <memory>

#include "trainer/assembly/assemble.h"
#include "trainer/assembly/build_model.h"

namespace sft {

// Also leaves the files beside the exported weights in `run`, and asks its data for the columns that are needed. Rank 0
// says what trains. ConfigError where model, data and settings do not fit one another. No rank waits for another.
std::unique_ptr<Learner> make_learner(Assembly& run, Built built);

}  // namespace sft
