// Model, head and adapters as one module, with the parameters that train, are frozen and are saved.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "data/samples/batch.h"
#include "trainer/adapters/freeze.h"
#include "trainer/adapters/low_rank_adapters.h"
#include "trainer/learner/activation_cache.h"
#include "trainer/learner/stages.h"
#include "trainer/model_files/model_export.h"
#include "trainer/model_files/pretrained.h"
#include "trainer/models/model.h"
#include "trainer/tasks/task.h"

namespace sft {

struct LearnerSettings {
  at::Device device = at::kCPU;
  bool recomputes = false;  // gradient checkpointing
};

class Learner {
 public:
  // trained[i] says whether parameters()[i] trains. The rest asks for no gradient, and stages in which
  // nothing trains stay in evaluation mode. `adapters` are those on the model, `from_files` what files have given it.
  Learner(std::unique_ptr<Model> model, std::unique_ptr<Task> task, std::vector<bool> trained,
          const LearnerSettings& settings, LowRankAdapters adapters = {}, FromFiles from_files = {});

  // Told of each stage that runs, and in loss_sum() of what stands on top of them. Borrowed; null: nobody.
  void be_watched_by(StageWatch* watch) {
    watch_ = watch;
    stages_.be_watched_by(watch);
  }

  // Task::loss_sum() of a micro-batch: dropout on where something trains.
  at::Tensor loss_sum(const Batch& batch, const Weights& total);

  // Without graph and without dropout. `cache`: the frozen activations of the batch's dataset; null: the frozen stages
  // are run.
  void observe(const Batch& batch, const Asked& asked, const ActivationCache* cache = nullptr);

  // Whether the lowest stages are frozen; frozen_activations() has their activations, in host memory.
  bool has_frozen_stages() const { return first_trained() > 0; }
  int first_trained() const { return stages_.first_trained(); }  // the lowest stage of a trained parameter
  at::Tensor frozen_activations(const Batch& batch);
  // [B + 1]: which rows of frozen_activations() are of each sample.
  std::vector<int64_t> frozen_offsets(const Batch& batch) const;
  // loss_sum() takes the cached activations instead of running the frozen stages.
  void use_cache(std::unique_ptr<ActivationCache> cache) { cache_ = std::move(cache); }
  bool has_cache() const { return cache_ != nullptr; }

  // The columns that the model and the task read.
  Needs needs() const;

  // The tensors of a checkpoint: parameters and buffers; of a model with adapters the trained ones alone, as its base
  // never changes.
  Parameters saved() const;
  // Those of saved() that a checkpoint is to bring back: all but what stays as the base's files have it.
  Parameters restored() const;
  // The frozen parameters that a checkpoint does not bring back: it fits no other base.
  Parameters of_base() const;
  // DataError where somebody has written to the files that frozen weights stay in.
  void require_base_unchanged() const;
  // The tensors of a model file: parameters and buffers, the adapters merged into the weights. What does not train, and
  // what adapters were merged into, is of the type of the base's files, unless the model's is float64.
  ExportedTensors whole() const;
  Parameters parameters() const;  // all parameters, in forward order, by their Hugging Face names
  Parameters trained() const;
  Model& model() { return *model_; }
  Task& task() { return *task_; }
  const Model& model() const { return *model_; }
  const Task& task() const { return *task_; }
  const LowRankAdapters& adapters() const { return adapters_; }
  const FromFiles& from_files() const { return from_files_; }

  const at::Device& device() const { return device_; }

  // The batch as model and task take it, with the rows that the task reads.
  Inputs inputs(const Batch& batch) const;
  // The number of rows that the task reads of so many tokens in so many samples; where it depends on targets, an
  // estimate by the targets seen so far.
  int64_t rows_read(int64_t tokens, int64_t samples) const;

 private:
  Reading reading(const Batch& batch) const;
  at::Tensor forward(const Batch& batch, const Inputs& inputs, const ActivationCache* cache, Mode mode);
  StageRule freeze(const LearnerSettings& settings) const;

  std::unique_ptr<Model> model_;
  std::unique_ptr<Task> task_;
  LowRankAdapters adapters_;
  FromFiles from_files_;
  std::vector<bool> trained_;
  StageWatch* watch_ = nullptr;
  Stages stages_;
  std::unique_ptr<ActivationCache> cache_;
  at::Device device_;
  double tokens_seen_ = 0, targets_seen_ = 0;  // in batches of loss_sum()
};

// The model's parameters, then the head's: the order in freezing, arenas and files. Adapters stand behind the other
// parameters of their stage.
Parameters all_parameters(const Model& model, const Task& task, const LowRankAdapters& adapters = {});

// For each of all_parameters(), whether it trains: as the config says, less a pooler that the task does not read. Of a
// model with adapters, the adapters and a head that did not come with the model train; ConfigError where the config
// says otherwise.
std::vector<bool> trained_parameters(const FreezeConfig& freeze, const Model& model, const Task& task,
                                     const LowRankAdapters& adapters = {});

// For each of all_parameters(), whether it trains beside adapters: these and a head that did not come with the model.
std::vector<bool> trained_beside_adapters(const Model& model, const Task& task, const LowRankAdapters& adapters = {});

// all_parameters(), and the model's buffers behind them.
Parameters all_saved(const Model& model, const Task& task);

}  // namespace sft
