#include "trainer/learner/stages.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cassert>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/progress.h"
#include "base/text.h"
#include "base/timeline.h"
#include "trainer/models/blocks/recomputed.h"

namespace sft {

Stages::Stages(Model& model, StageRule rule) : model_(model), rule_(std::move(rule)) {
  const int count = model.num_stages();
  if (rule_.trains.empty()) rule_.trains.assign(static_cast<size_t>(count), true);
  assert(static_cast<int>(rule_.trains.size()) == count);
  if (rule_.recomputes && !model.repeats_stages())
    throw ConfigError(concat("train.gradient_checkpointing: this model (", model.config().value("model_type", "?"),
                             ") is not built to compute its activations again"));
  for (int s = 0; s < count; ++s) names_.push_back(concat("stage ", s));
}

at::Tensor Stages::frozen_activations(const Inputs& inputs, Mode mode) {
  const c10::AutoGradMode no_graph(false);
  follow_weights();
  at::Tensor x;
  for (int s = 0; s < num_kept(); ++s) {
    x = run(s, x, inputs, mode);
    ran(s);
  }
  return x;
}

at::Tensor Stages::trained_part(at::Tensor x, const Inputs& inputs, Mode mode) {
  follow_weights();
  // The caller's inputs are gone when the backward pass comes.
  const auto kept = rule_.recomputes ? std::make_shared<const Inputs>(inputs) : nullptr;
  const int end = model_.num_stages();
  for (int s = num_kept(); s < end; ++s) {
    if (kept && x.defined() && x.requires_grad() && c10::GradMode::is_enabled()) {
      const auto again = [this, s, kept, mode](const at::Tensor& rows) { return run(s, rows, *kept, mode); };
      x = recomputed(again, x);
    } else {
      x = run(s, x, inputs, mode);
    }
    // A last norm may be of the last stage.
    if (s == end - 1) x = model_.features(x);
    ran(s);
    tell_of_backward(s, x);
  }
  return num_kept() < end ? x : model_.features(x);
}

int Stages::num_kept() const { return std::min(rule_.first_trained, model_.num_cacheable_stages()); }

// Copies in a narrower type are made of the weights of all stages in one call.
void Stages::follow_weights() {
  if (rule_.watch != nullptr && model_.copies_weights())
    for (int s = 0; s <= model_.head_stage(); ++s) rule_.watch->before(s);
  model_.follow_weights();
}

at::Tensor Stages::run(int stage, const at::Tensor& x, const Inputs& inputs, Mode mode) {
  const timeline::Span span(names_[static_cast<size_t>(stage)]);
  beat();
  if (rule_.watch != nullptr) rule_.watch->before(stage);
  return model_.stage(stage, x, inputs, mode_of(stage, mode));
}

void Stages::ran(int stage) {
  if (rule_.watch != nullptr) rule_.watch->after(stage);
}

void Stages::tell_of_backward(int stage, const at::Tensor& y) {
  if (rule_.watch == nullptr || !y.requires_grad() || !c10::GradMode::is_enabled()) return;
  y.register_hook([watch = rule_.watch, stage](const at::Tensor&) { watch->before_backward(stage); });
}

// Stages in which nothing trains are evaluated, unless their statistics are to move or the model says otherwise.
Mode Stages::mode_of(int stage, Mode mode) const {
  const bool trains = (rule_.trains[static_cast<size_t>(stage)] || model_.trains_with_those_below(stage)) &&
                      stage >= rule_.first_trained;
  return trains || model_.moves_where_frozen(stage) ? mode : Mode::evaluation;
}

}  // namespace sft
