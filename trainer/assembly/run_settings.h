// Settings of loaders, evaluator and loop that follow from the config and from what was built.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/loading/augment.h"
#include "data/samples/dataset.h"
#include "trainer/assembly/world.h"
#include "trainer/config/run_config.h"
#include "trainer/learner/learner.h"
#include "trainer/loop/cadence.h"
#include "trainer/loop/evaluator.h"
#include "trainer/loop/selection.h"
#include "trainer/loop/telemetry.h"
#include "trainer/metrics/metric_words.h"

namespace sft {

int64_t micro_batch_tokens(const RunConfig& config, const at::Device& device);
Evaluator::Settings evaluator_settings(const RunConfig& config, const at::Device& device);

Augmentation augmentation_of(const RunConfig& config, const Schema& schema);

// The number of parts that each global batch and each evaluation of a deterministic run is cut into, whatever the
// number of ranks; 0 in other runs.
int num_parts(const RunConfig& config);
// ConfigError where the ranks cannot share the parts evenly as branches of one tree, or compute on a GPU.
void check_deterministic(const RunConfig& config, const World& world);
// "" where parameters may be spread over ranks (zero3), else what they would be read for beside the stage that they are
// of.
std::string why_not_spread(const RunConfig& config, const Model& model);
// ConfigError where parameters that are spread over ranks would be read beside the stage that they are of.
void check_spread_parameters(const RunConfig& config, const Model& model);
// The number of threads, on which the order of sums in kernels depends: 1 in a deterministic run that names none.
int64_t num_threads(const RunConfig& config);

int64_t steps_in_all(const RunConfig& config, int64_t batches_per_epoch);

// The cadence of an action with this `strategy`: "epoch", "steps" (every `steps`) or never.
Cadence cadence(const std::string& strategy, double steps, int64_t batches_per_epoch, int64_t total);

// The rule by which evaluations are compared. ConfigError for a metric that the task does not have.
Selection selection(const RunConfig& config, const Task& task);

// Operations of a step over so many tokens in so many samples: a forward pass, and twice as many backward in the blocks
// that gradients reach. Borrows `learner`.
std::function<double(int64_t tokens, int64_t samples)> work_of(const Learner& learner);

// How people are told the task's metrics.
MetricWords metric_words(const RunConfig& config, const Task& task);

// The sinks of telemetry. Lines of steps after `resumed_step`, which a resumed run will repeat, are cut off first.
std::vector<Sink> open_sinks(const RunConfig& config, const MetricWords& words, int64_t resumed_step);

}  // namespace sft
