#include "trainer/loop/update.h"

#include "trainer/optim/groups.h"

namespace sft {

Update make_update(std::unique_ptr<Learner> learner, std::unique_ptr<Loader> loader, const UpdateSettings& settings,
                   Communicator& gradients, Communicator& control) {
  Update update;
  update.learner = std::move(learner);
  update.loader = std::move(loader);
  const Model& model = update.learner->model();
  const Parameters trained = update.learner->trained();
  const Grouping grouping = group_parameters(settings.optim, trained, model.num_blocks());
  update.arena = std::make_unique<Arena>(trained, grouping.group_of);
  update.gradients = make_gradient_sync(settings.parallel, *update.arena, gradients, control, settings.sync);
  // Statistics that all ranks sum are the same on all of them already, and frozen ones do not move.
  const bool moves_alone = settings.batch_norm == BatchNormMode::local;
  update.statistics = std::make_unique<RunningStatistics>(moves_alone ? model.buffers() : Parameters{},
                                                          update.arena->values().is_cpu() ? control : gradients);
  update.optimizer = make_optimizer(settings.optim, *update.arena, grouping.groups, update.gradients->owned());
  update.schedule = make_schedule(settings.scheduler, settings.optim.learning_rate, settings.total_steps);
  return update;
}

}  // namespace sft
