#include "trainer/loop/update.h"

#include "trainer/optim/groups.h"

namespace sft {
namespace {

// Blocks that share their weights have them in the lowest of them.
StageReads reads_of(const Learner& learner) {
  const Model& model = learner.model();
  StageReads reads{.borrowings = {}, .on_top = model.pooler_stage()};
  const int sharing = model.blocks_sharing_weights();
  for (int s = 1; s <= model.num_blocks(); ++s)
    if (const int lender = 1 + (s - 1) / sharing * sharing; lender != s) reads.borrowings.push_back({s, lender});
  const at::Tensor tied = model.output_embedding();
  for (const Parameter& parameter : learner.parameters())
    if (tied.defined() && parameter.value.is_same(tied))
      reads.borrowings.push_back({model.head_stage(), parameter.stage});
  return reads;
}

}  // namespace

Update make_update(std::unique_ptr<Learner> learner, std::unique_ptr<Loader> loader, const UpdateSettings& settings,
                   Communicator& gradients, Communicator& control) {
  Update update;
  update.learner = std::move(learner);
  update.loader = std::move(loader);
  const Model& model = update.learner->model();
  const Parameters trained = update.learner->trained();
  const Grouping grouping = group_parameters(settings.optim, trained, model.num_blocks());
  update.arena = std::make_unique<Arena>(trained, grouping.group_of);
  SyncSettings sync = settings.sync;
  sync.reads = reads_of(*update.learner);
  update.gradients = make_gradient_sync(settings.parallel, *update.arena, gradients, control, sync);
  update.learner->be_watched_by(update.gradients->watch());
  // Statistics that all ranks sum are the same on all of them already, and frozen ones do not move.
  const bool moves_alone = settings.batch_norm == BatchNormMode::local;
  update.statistics = std::make_unique<RunningStatistics>(moves_alone ? model.buffers() : Parameters{},
                                                          update.arena->values().is_cpu() ? control : gradients);
  update.optimizer = make_optimizer(settings.optim, *update.arena, grouping.groups, update.gradients->owned());
  update.schedule = make_schedule(settings.scheduler, settings.optim.learning_rate, settings.total_steps);
  return update;
}

}  // namespace sft
