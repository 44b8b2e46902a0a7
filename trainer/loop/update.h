// The parts of one synchronized update of the weights, wired in the one right order.
#pragma once

#include <cstdint>
#include <memory>

#include "comm/communicator.h"
#include "data/loading/loader.h"
#include "trainer/learner/learner.h"
#include "trainer/optim/arena.h"
#include "trainer/optim/optim_config.h"
#include "trainer/optim/optimizer.h"
#include "trainer/optim/schedule.h"
#include "trainer/parallel/gradient_sync.h"
#include "trainer/parallel/world_statistics.h"

namespace sft {

struct UpdateSettings {
  OptimConfig optim = {};
  SchedulerConfig scheduler = {};
  int64_t total_steps = 0;
  ParallelConfig parallel = {};
  SyncSettings sync = {};  // with the parts of this rank's share of a global batch; what stages read is the model's
  BatchNormMode batch_norm = BatchNormMode::frozen;  // of the learner's model
};

// Members are borrowed by those below them, so they are destroyed last.
struct Update {
  std::unique_ptr<Learner> learner;
  std::unique_ptr<Loader> loader;  // null where the caller brings the batches
  std::unique_ptr<Arena> arena;
  std::unique_ptr<GradientSync> gradients;
  std::unique_ptr<RunningStatistics> statistics;  // BatchNorm statistics, where each rank has its own
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<Schedule> schedule;
};

// `gradients` joins tensors of the learner's device, `control` host values; both are borrowed.
Update make_update(std::unique_ptr<Learner> learner, std::unique_ptr<Loader> loader, const UpdateSettings& settings,
                   Communicator& gradients, Communicator& control);

}  // namespace sft
