// One module of model and head: what is trained, what is frozen, what is saved.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "data/samples/batch.h"
#include "trainer/models/model.h"
#include "trainer/tasks/task.h"

namespace sft {

// What the frozen stages give, from somewhere else than from the stages.
class FrozenPart {
 public:
  virtual ~FrozenPart() = default;
  virtual at::Tensor of(const Batch& batch) const = 0;  // in host memory, as Learner::frozen_part()
};

class Learner {
 public:
  // trained[i] says whether parameters()[i] trains. The rest asks for no gradient, and stages in which
  // nothing trains stay in evaluation mode.
  Learner(std::unique_ptr<Model> model, std::unique_ptr<Task> task, std::vector<bool> trained,
          const at::Device& device);

  // Loss of a micro-batch with its graph: dropout on where something trains.
  LossSum loss_sum(const Batch& batch);

  // [B, num_labels], without graph and without dropout. `kept`: of the dataset that the batch is from; null: the
  // stages.
  at::Tensor logits(const Batch& batch, const FrozenPart* kept = nullptr);

  // Whether the lowest stages are frozen, and what they give, in host memory.
  bool has_frozen_part() const { return first_trained_ > 0; }
  int first_trained() const { return first_trained_; }  // the lowest stage of a trained parameter
  at::Tensor frozen_part(const Batch& batch);
  // From now on loss_sum() takes it from there.
  void keep(std::unique_ptr<FrozenPart> kept) { kept_ = std::move(kept); }
  bool keeps_frozen_part() const { return kept_ != nullptr; }

  Parameters saved() const;       // parameters and buffers: what a file of the model holds
  Parameters parameters() const;  // all of them, in forward order, by their Hugging Face names
  Parameters trained() const;
  const Model& model() const { return *model_; }
  const Task& task() const { return *task_; }

 private:
  at::Tensor forward(const Batch& batch, const FrozenPart* kept);
  void set_mode(bool training);

  std::unique_ptr<Model> model_;
  std::unique_ptr<Task> task_;
  std::vector<bool> trained_;
  std::vector<bool> stage_trains_;  // of stages 0 … num_blocks
  int first_trained_ = 0;
  std::unique_ptr<FrozenPart> kept_;
  at::Device device_;
  int mode_ = -1;  // unset, so that the first call sets it
};

// Model first, then head: the order that freezing, arenas and files see.
Parameters all_parameters(const Model& model, const Task& task);

// And the model's buffers behind them.
Parameters all_saved(const Model& model, const Task& task);

}  // namespace sft
