// freeze.cache: the activations of the frozen stages, computed once for the rows of a dataset.
#pragma once

#include <memory>
#include <string>

#include "comm/communicator.h"
#include "data/loading/loader.h"
#include "data/samples/dataset.h"
#include "trainer/config/run_config.h"
#include "trainer/learner/learner.h"

namespace sft {

// ConfigError where the frozen stages of the learner would not give the same activations at every draw of a sample.
void check_cache(const RunConfig& config, const Learner& learner, const Schema& schema);

// The activations are read from the file of an earlier run (freeze.cache = "disk"), or computed by all ranks together.
// Every rank calls; rank 0 logs which of the two, about `what` rows.
std::unique_ptr<ActivationCache> make_activation_cache(const RunConfig& config, Learner& learner,
                                                       const Dataset& dataset, const std::string& what,
                                                       Communicator& control, const EvalLoaderConfig& loading);

}  // namespace sft
