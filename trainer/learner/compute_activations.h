// The activations of the frozen stages for each sample of a dataset, computed once by all ranks together. A batch of
// the same shape would give the same bits again; sums differ with the shape, as between micro-batches.
#pragma once

#include "comm/communicator.h"
#include "data/loading/loader.h"
#include "data/samples/dataset.h"
#include "trainer/learner/activation_cache.h"
#include "trainer/learner/learner.h"

namespace sft {

// Every rank calls, with a learner that has frozen stages, and gets the activations of all samples. `control` joins
// host memory.
Activations compute_activations(Learner& learner, const Dataset& dataset, Communicator& control,
                                const EvalLoaderConfig& loading);

}  // namespace sft
