// What is learned on top of a backbone: head, loss, metrics, predictions. A task knows no ranks; its metrics
// are counts that somebody else sums.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/schema.h"
#include "data/samples/batch.h"
#include "data/samples/example.h"
#include "trainer/models/model.h"

namespace sft {

// Sum over real targets, and the weight it is to be divided by, once, over the whole window and all ranks.
struct LossSum {
  at::Tensor sum;  // scalar with a graph
  double weight = 0;
};

// Sufficient statistics of an evaluation.
struct Statistics {
  std::vector<double> counts = {};  // summed over ranks, element by element
  std::vector<double> rows = {};    // gathered from all ranks, for what is no sum: ranks, areas under curves
};

class Task {
 public:
  virtual ~Task() = default;
  virtual Reads reads() const = 0;
  virtual bool reads_pooler() const = 0;              // false: the model's pooler has no part in the loss
  virtual bool keeps_pooler() const { return true; }  // false: the transformers class of the task has none
  virtual Parameters parameters() const = 0;          // the head; the pooler is the model's
  virtual at::Tensor logits(Model& model, const Features& features, const Inputs& inputs, Mode mode) = 0;

  // The denominator of a batch, from targets alone: known before any forward.
  virtual double weight(const Batch& batch) const = 0;
  virtual LossSum loss_sum(const at::Tensor& logits, const Batch& batch) const = 0;

  virtual Statistics empty_statistics() const = 0;
  virtual void accumulate(const at::Tensor& logits, const Batch& batch, Statistics& into) const = 0;
  // Named metrics in the order they are printed; "loss" (plain, unsmoothed, unweighted mean) first.
  virtual nlohmann::ordered_json metrics(const Statistics& total) const = 0;  // flat: name → number
  virtual nlohmann::ordered_json details(const Statistics& total) const = 0;  // per class, confusion matrix
  virtual std::string default_metric() const = 0;                             // "accuracy"

  // One JSON object a row of the batch, in order.
  virtual std::vector<std::string> predictions(const at::Tensor& logits, const Batch& batch) const = 0;

  // What config.json gets: num_labels, id2label, label2id, problem_type.
  virtual void describe(nlohmann::json& config) const = 0;
};

// What a task is made from.
struct TaskSettings {
  std::string pooling = "auto";            // auto (what the transformers class does) | cls | mean | pooler
  std::vector<std::string> label_names;    // by id
  std::vector<int64_t> label_counts = {};  // of the training rows, by id; for weights that are "balanced"
  int64_t num_rows = 0;                    // of training, that label_counts counts
  TargetForm target = TargetForm::label;
  std::string loss = "auto";  // auto (the task's) | cross_entropy | focal | bce | mse | mae | huber
  double focal_gamma = 2.0;
  double huber_delta = 1.0;
  ClassWeights class_weights = {};
  ClassWeights pos_weight = {};
  double threshold = 0.5;                 // of multi-label predictions
  std::vector<std::string> metrics = {};  // asked for by name, beside those that a task always has
  double label_smoothing_factor = 0.0;
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;
  uint64_t seed = 0;  // of the head's initialisation
  uint64_t dropout_seed = 0;
};

// By the name of model.task and the form of targets. ConfigError where the settings do not fit the model or the labels.
std::unique_ptr<Task> make_task(const std::string& task, const TaskSettings& settings, const Model& model);

}  // namespace sft
