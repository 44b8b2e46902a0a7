#include "trainer/learner/learner.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cassert>

namespace sft {

Parameters all_parameters(const Model& model, const Task& task) {
  Parameters all = model.parameters();
  if (!task.keeps_pooler())
    std::erase_if(all, [&](const Parameter& parameter) { return parameter.stage == model.num_blocks() + 1; });
  for (Parameter& parameter : task.parameters()) all.push_back(std::move(parameter));
  return all;
}

Parameters all_saved(const Model& model, const Task& task) {
  Parameters all = all_parameters(model, task);
  for (Parameter& buffer : model.buffers()) all.push_back(std::move(buffer));
  return all;
}

Learner::Learner(std::unique_ptr<Model> model, std::unique_ptr<Task> task, std::vector<bool> trained,
                 const at::Device& device)
    : model_(std::move(model)), task_(std::move(task)), trained_(std::move(trained)), device_(device) {
  const Parameters all = parameters();
  assert(all.size() == trained_.size());
  const int num_stages = model_->num_blocks() + 1;
  stage_trains_.assign(static_cast<size_t>(num_stages), false);
  first_trained_ = num_stages;
  for (size_t i = 0; i < all.size(); ++i) {
    at::Tensor value = all[i].value;
    value.set_requires_grad(trained_[i]);
    if (!trained_[i]) continue;
    first_trained_ = std::min(first_trained_, all[i].stage);
    if (all[i].stage < num_stages) stage_trains_[static_cast<size_t>(all[i].stage)] = true;
  }
  model_->set_first_trained(first_trained_);
}

LossSum Learner::loss_sum(const Batch& batch) {
  set_mode(true);
  return task_->loss_sum(forward(batch, kept_.get()), batch);
}

at::Tensor Learner::logits(const Batch& batch, const FrozenPart* kept) {
  const at::NoGradGuard no_graph;
  set_mode(false);
  return forward(batch, kept);
}

at::Tensor Learner::frozen_part(const Batch& batch) {
  set_mode(false);
  return model_->frozen_part(to_device(batch, device_), task_->reads()).cpu();
}

at::Tensor Learner::forward(const Batch& batch, const FrozenPart* kept) {
  const Inputs inputs = to_device(batch, device_);
  const at::Tensor x = kept ? kept->of(batch).to(device_) : model_->frozen_part(inputs, task_->reads());
  const Features features = model_->trained_part(x, inputs, task_->reads());
  return task_->logits(*model_, features, inputs);
}

void Learner::set_mode(bool training) {
  if (mode_ == training) return;
  mode_ = training;
  const std::vector<bool> none(stage_trains_.size(), false), every(stage_trains_.size(), true);
  model_->set_training(!training ? none : model_->moves_where_frozen() ? every : stage_trains_);
  task_->set_training(training);
}

Parameters Learner::parameters() const { return all_parameters(*model_, *task_); }

Parameters Learner::saved() const { return all_saved(*model_, *task_); }

Parameters Learner::trained() const {
  const Parameters all = parameters();
  Parameters chosen;
  for (size_t i = 0; i < all.size(); ++i)
    if (trained_[i]) chosen.push_back(all[i]);
  return chosen;
}

}  // namespace sft
