#include "trainer/loop/trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "base/errors.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/mapped_file.h"
#include "base/process.h"
#include "base/progress.h"
#include "base/text.h"
#include "base/timeline.h"
#include "base/tree_sum.h"
#include "comm/agree.h"
#include "trainer/config/training_keys.h"
#include "trainer/loop/optimizer_refs.h"
#include "trainer/loop/share_weights.h"

namespace sft {

using timeline::spanned;

Trainer::Trainer(const TrainerParts& parts, TrainerSettings settings)
    : parts_(parts),
      update_(parts.update),
      settings_(std::move(settings)),
      queued_(state_, parts.schedule, parts.control.rank() == 0) {}

StopReason Trainer::run(const Cutoffs& cutoffs) {
  parts_.telemetry.start(state_.step);
  while (!finished(cutoffs)) {
    const StepReport report = spanned("step", [&] { return step(); });
    if (parts_.telemetry.writes_line(report.step)) queued_.hear();
    parts_.telemetry.record(report, state_.window);
    if (settings_.evaluations.due(state_.step)) evaluate();
    if (settings_.saves.due(state_.step)) save();
  }
  queued_.hear();
  if (reason_ == StopReason::finished || reason_ == StopReason::early_stopping) require_a_result();
  save();
  return reason_;
}

// A model that was trained to its end and gives no numbers is none; a better one from before is, where it is taken.
void Trainer::require_a_result() const {
  const auto refuse = [](const std::string& why) { throw Error(ExitCode::not_finite, why, Reach::everywhere); };
  if (state_.has_learned_nothing())
    refuse(concat("nothing was learned: all ", state_.step, " updates were skipped, and no model is left"));
  const nlohmann::ordered_json& last = state_.last_evaluation;
  const bool leaves_a_better = settings_.selection.ends_with_best && !state_.best_checkpoint.empty();
  if (last.is_object() && !last.value("finite", true) && !leaves_a_better)
    refuse(concat("the training diverged: at its last evaluation, at step ", last.value("step", state_.step),
                  ", the outputs of the model are not finite, and no model is left; lower optim.learning_rate"));
}

// One update from every rank's share of the batch. Losses are summed and divided once by the global
// weight, so the result does not depend on how many ranks there are.
StepReport Trainer::step() {
  const Stopwatch watch;
  const Phase phase("step");
  progress().step = state_.step + 1;
  failpoint("trainer.step");
  const double rate = parts_.schedule.rate(state_.step);
  Share share = next_share();
  Totals totals = totals_of(update_.learner->task(), share, parts_.control);
  const double weight = totals.weights.front();
  const int scale = scale_to_one(share, totals.weights);

  const std::vector<at::Tensor> losses = make_gradients(share, totals.weights);
  if (first_step_seconds_ == 0 && weight > 0) require_every_gradient(*update_.gradients);
  const at::Tensor penalty = add_penalty();
  const at::Tensor norm = spanned("clip", [&] { return update_.gradients->clip(settings_.max_grad_norm); });
  if (weight > 0) {
    spanned("optimizer", [&] { update_.optimizer->step(rate, QueuedUpdates::is_left_out(norm)); });
    update_.gradients->publish();
  }
  queued_.add(weight > 0, norm);
  spanned("hear", [&] { queued_.hear(norm.is_cpu() ? 0 : 1); });

  ++state_.step;
  if (first_step_seconds_ == 0) first_step_seconds_ = seconds_since_exec();
  state_.cursor = share.next;
  state_.samples += share.global_samples;
  state_.tokens += totals.tokens;
  longest_pause_ = std::max(longest_pause_, watch.seconds());
  return {.step = state_.step,
          .epoch = epoch(),
          .loss_sum = tree_sum<at::Tensor>(losses) * std::ldexp(1.0, scale),
          .penalty = penalty,
          .weight = weight,
          .norm = norm,
          .rate = rate,
          .samples = share.global_samples,
          .tokens = totals.tokens,
          .ids = ids_of(share)};
}

// Gradients of the loss of all ranks' shares, on each rank that owns them; the loss sums of this rank's parts.
std::vector<at::Tensor> Trainer::make_gradients(const Share& share, const Weights& total) {
  const Batch* last = last_batch(share);
  std::vector<at::Tensor> losses;
  update_.arena->zero_gradients();
  update_.gradients->begin(num_batches(share));
  for (const Part& part : share.parts) {
    losses.push_back(at::zeros({}, update_.arena->values().options().dtype(at::kDouble)));
    for (const Batch& batch : part) {
      update_.gradients->pass();
      const auto overlap = &batch == last ? update_.gradients->overlap() : nullptr;
      const at::Tensor sum = spanned("forward", [&] { return update_.learner->loss_sum(batch, total); });
      spanned("backward", [&] { (sum / total.front()).backward(); });
      losses.back() += sum.detach();
    }
    update_.gradients->fold();
  }
  require_mapped_files_whole();  // frozen weights may be the files' own
  spanned("reduce", [&] { update_.gradients->reduce(); });
  if (Task& task = update_.learner->task(); task.may_fail_alone())
    together(parts_.control, [&] { task.rethrow_failure(); });
  update_.statistics->join(static_cast<double>(num_samples(share)));
  return losses;
}

// Adds the gradient of l1, l2 and l2_from_start; their value, undefined where none is asked for.
at::Tensor Trainer::add_penalty() {
  at::Tensor value;
  if (settings_.penalty.is_on()) {
    const auto whole = update_.gradients->whole();
    value = settings_.penalty.value(*update_.arena);
  }
  settings_.penalty.add_gradient_to(*update_.arena, update_.gradients->owned());
  return value;
}

// A rank whose data cannot be read must not leave the others waiting in the next reduction.
Share Trainer::next_share() {
  const timeline::Span span("load");
  Share share;
  together(parts_.control, [&] { share = update_.loader->next(); });
  return share;
}

// Asked by all ranks together: a signal or the clock may have reached only one of them.
bool Trainer::finished(const Cutoffs& cutoffs) {
  if (state_.step >= settings_.total_steps) return true;
  if (settings_.selection.exhausted(state_)) {
    reason_ = StopReason::early_stopping;
    return true;
  }
  if (compares_with_cutoffs_ && settings_.selection.falls_behind(cutoffs, state_)) {
    reason_ = StopReason::pruned;
    return true;
  }
  const bool late = settings_.max_seconds > 0 && session_.seconds() + 3 * longest_pause_ > settings_.max_seconds;
  const int64_t wish = settings_.stop_requested && settings_.stop_requested() ? 2 : late ? 1 : 0;
  const int64_t agreed = max(parts_.control, wish);
  if (agreed > 0) reason_ = agreed == 2 ? StopReason::signal : StopReason::max_time;
  return agreed > 0;
}

void Trainer::evaluate() {
  if (!parts_.evaluator) return;
  queued_.hear();
  const auto whole = update_.gradients->whole();
  const Evaluation evaluation = spanned("evaluation", [&] { return parts_.evaluator->run(); });
  parts_.telemetry.record(evaluation, state_.step, epoch());
  longest_pause_ = std::max(longest_pause_, evaluation.seconds);
  ++state_.evaluations;
  compares_with_cutoffs_ = true;
  state_.last_evaluation = evaluation.metrics;
  state_.last_evaluation["step"] = state_.step;
  state_.last_evaluation["details"] = evaluation.details;
  if (!evaluation.finite) state_.last_evaluation["finite"] = false;
  if (!evaluation.finite && parts_.control.rank() == 0)
    log::warn(concat("evaluation at step ", state_.step,
                     ": the outputs of the model are not finite in some rows, so none of its scores is a number"));
  const RunState before = state_;
  const double value = evaluation.metrics.at(settings_.selection.metric).get<double>();
  if (!std::isfinite(value)) {
    log::warn_once(
        concat("eval_", settings_.selection.metric,
               " is not a finite number here: such an evaluation is never the best, and stops nothing early"));
    return;
  }
  parts_.schedule.observe(value, settings_.selection.greater_is_better);
  if (state_.has_learned_nothing()) return;
  if (!settings_.selection.improves(value, state_)) return;
  state_.best_checkpoint.clear();
  if (settings_.selection.saves_best) save_best(before);
}

// A best model that is not on disk is none that the run could end with: the one before stays the best, until another
// save of this step succeeds.
void Trainer::save_best(const RunState& before) {
  state_.best_checkpoint = checkpoint_name(state_.step);
  save();
  if (is_saved()) return;
  unsaved_best_ = state_;
  state_.take_best_of(before);
}

void Trainer::save() {
  queued_.hear();
  if (is_saved()) return;
  const timeline::Span span("save");
  const Phase phase("save");
  const Stopwatch watch;
  const RunState before = state_;
  if (unsaved_best_ && unsaved_best_->step == state_.step) state_.take_best_of(*unsaved_best_);
  together(parts_.control, [&] { update_.learner->require_base_unchanged(); });
  const auto whole = update_.gradients->whole();
  parts_.telemetry.settle(state_.window);
  if (parts_.margins != nullptr) parts_.margins->gather(parts_.control);
  const HostTensors model(named_tensors(update_.learner->saved()));
  const HostTensors optimizer = settings_.save_only_model ? HostTensors({}) : optimizer_in_host(update_);
  if (parts_.checkpoints.save(content(model, optimizer))) {
    saved_step_ = state_.step;
    unsaved_best_.reset();
    parts_.checkpoints.prune(state_.best_checkpoint);
  } else {
    state_.take_best_of(before);
  }
  longest_pause_ = std::max(longest_pause_, watch.seconds());
}

CheckpointContent Trainer::content(const HostTensors& model, const HostTensors& optimizer) {
  state_.seconds = earlier_seconds_ + session_.seconds();
  state_.schedule = parts_.schedule.state();
  nlohmann::json state = to_json(state_, epoch());
  state["optimizer_updates"] = update_.optimizer->updates();
  auto files = settings_.files;
  if (parts_.margins != nullptr && parts_.control.rank() == 0)
    files.emplace_back(kMarginsFile, parts_.margins->to_bytes());
  return {.step = state_.step,
          .state = std::move(state),
          .settings = settings_.settings,
          .model = model.refs(),
          .optimizer = optimizer.refs(),
          .files = std::move(files)};
}

double Trainer::epoch() const {
  return static_cast<double>(state_.step) / static_cast<double>(update_.loader->batches_per_epoch());
}

std::string name_of(StopReason reason) {
  switch (reason) {
    case StopReason::finished:
      return "finished";
    case StopReason::early_stopping:
      return "early_stopping";
    case StopReason::pruned:
      return "pruned";
    case StopReason::signal:
      return "signal";
    case StopReason::max_time:
      return "max_time";
  }
  return "";
}

}  // namespace sft
