#include "trainer/learner.h"

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
  int first_trained = num_stages;
  for (size_t i = 0; i < all.size(); ++i) {
    at::Tensor value = all[i].value;
    value.set_requires_grad(trained_[i]);
    if (!trained_[i]) continue;
    first_trained = std::min(first_trained, all[i].stage);
    if (all[i].stage < num_stages) stage_trains_[static_cast<size_t>(all[i].stage)] = true;
  }
  model_->set_first_trained(first_trained);
}

LossSum Learner::loss_sum(const Batch& batch) {
  set_mode(true);
  return task_->loss_sum(forward(batch), batch);
}

at::Tensor Learner::logits(const Batch& batch) {
  const at::NoGradGuard no_graph;
  set_mode(false);
  return forward(batch);
}

at::Tensor Learner::forward(const Batch& batch) {
  const Inputs inputs = to_device(batch, device_);
  const Features features = model_->forward(inputs, task_->reads());
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
