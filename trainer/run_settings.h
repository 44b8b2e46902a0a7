// What the loop is told, worked out from the config and from what was built.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "trainer/assemble.h"

namespace sft {

int64_t micro_batch_tokens(const RunConfig& config);
Evaluator::Budget evaluation_budget(const RunConfig& config);
int64_t steps_in_all(const RunConfig& config, int64_t batches_per_epoch);

// total_steps, loader, learner and data of `run` are there.
TrainerSettings trainer_settings(const Assembly& run);

// Operations of a step over so many tokens in so many samples: a forward pass, and twice as many backward in the blocks
// that gradients reach. Borrows `learner`.
std::function<double(int64_t tokens, int64_t samples)> work_of(const Learner& learner);

// Where reports go. Lines of steps after `resumed_step`, which a resumed run will do again, are cut off first.
std::vector<Sink> open_sinks(const RunConfig& config, int64_t resumed_step);

}  // namespace sft
