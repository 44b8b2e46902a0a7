// A run that goes on from a checkpoint: what it takes over, and what of the best model it cannot.
#include "base/log.h"
#include "base/process.h"
#include "base/progress.h"
#include "base/text.h"
#include "comm/agree.h"
#include "trainer/checkpoint/run_directory.h"
#include "trainer/config/training_keys.h"
#include "trainer/loop/optimizer_refs.h"
#include "trainer/loop/trainer.h"

namespace sft {

void Trainer::resume() {
  if (!settings_.resumes) return;
  const TimedPhase phase("resume");
  std::optional<FoundCheckpoint> found;
  if (settings_.resume_directory.empty())
    found = parts_.checkpoints.find_latest();
  else
    found = parts_.checkpoints.open_to_go_on(settings_.resume_directory);
  if (!found) return;
  together(parts_.control, [&] {
    check_same_training(found->settings, settings_.settings, found->directory);
    check_not_shorter(found->step, settings_.total_steps, found->directory);
  });
  const auto whole = update_.gradients->whole();
  HostTensors model(named_tensors(update_.learner->restored())), optimizer = optimizer_in_host(update_);
  parts_.checkpoints.load(*found, model.refs(), optimizer.refs());
  model.write_back();
  optimizer.write_back();
  update_.statistics->restart();
  if (parts_.margins != nullptr)
    together(parts_.control, [&] {
      if (parts_.control.rank() == 0) parts_.margins->restore(found->directory);
    });
  state_ = run_state_from(found->state);
  earlier_seconds_ = state_.seconds;
  saved_step_ = settings_.resume_directory.empty() ? state_.step : -1;
  update_.optimizer->set_updates(found->state.at("optimizer_updates"));
  parts_.schedule.restore(state_.schedule);
  update_.loader->seek(state_.cursor);
  if (parts_.control.rank() == 0)
    log::info(concat("resumed from ", found->directory, " at step ", state_.step, " of ", settings_.total_steps));
  // Where nothing is left to train, no other best would be found.
  const bool goes_on = state_.step < settings_.total_steps && !settings_.selection.exhausted(state_);
  if (goes_on && !forget_other_best()) forget_lost_best();
  compares_with_cutoffs_ = state_.best_metric.has_value();
}

// Whether the best so far was measured otherwise than this run measures.
bool Trainer::forget_other_best() {
  if (!settings_.selection.forgets_other(state_)) return false;
  parts_.schedule.forget_best();
  if (parts_.control.rank() == 0)
    log::warn(
        "the metric of the best model, how it scores, or the rows that it is measured on, changed since this "
        "checkpoint: the best so far is not compared with, and is looked for anew");
  return true;
}

// Forgets a best that the run could not end with: no checkpoint of output_dir is of that evaluation. Asked only
// where the run saves its best. Every rank calls.
void Trainer::forget_lost_best() {
  if (!settings_.selection.saves_best || !state_.best_metric) return;
  if (state_.best_checkpoint.empty() && state_.best_step > 0)
    state_.best_checkpoint = checkpoint_name(state_.best_step);
  const nlohmann::json saved = parts_.checkpoints.state_of(state_.best_checkpoint);
  if (saved.is_object() && saved.value("best_metric", nlohmann::json()) == *state_.best_metric) return;
  if (parts_.control.rank() == 0)
    log::warn(concat("the best model so far",
                     state_.best_checkpoint.empty() ? "" : concat(", ", state_.best_checkpoint, ","),
                     " does not stand in output_dir: it is not compared with, and the best is looked for anew"));
  Selection::forget(state_);
}

}  // namespace sft
