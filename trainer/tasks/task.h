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
#include "data/readers/target_form.h"
#include "data/samples/batch.h"
#include "trainer/models/model.h"
#include "trainer/tasks/loss_config.h"

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
  virtual Needs needs() const = 0;  // the columns of targets
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
  // Of a name in metrics(): errors are better when they are smaller.
  virtual bool more_is_better(const std::string& metric) const { return metric != "loss"; }

  // One JSON object a sample of the batch, in order.
  virtual std::vector<std::string> predictions(const at::Tensor& logits, const Batch& batch) const = 0;
  // The JSON object of a row, from those of its samples, at least one, in order: by default that of its first.
  virtual std::string prediction_of_row(const std::vector<std::string>& samples) const { return samples.front(); }

  // What config.json gets: num_labels, id2label, label2id, problem_type.
  virtual void describe(nlohmann::json& config) const = 0;
};

// The labels of a task, or the names of its numbers.
struct Labels {
  StringList names = {};             // by id
  std::vector<int64_t> counts = {};  // of training rows, by id; empty where nobody asked
  TargetForm target = TargetForm::label;
  int64_t num_rows = 0;  // of training
  Schema samples = {};   // of training; no columns where that is not known
};

struct TaskSettings {
  std::string pooling = "auto";  // auto (the transformers class's) | cls | mean | pooler
  Labels labels = {};
  LossConfig loss = {};
  ScoreConfig scores = {};
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;
  uint64_t seed = 0;  // of the head's initialisation
  uint64_t dropout_seed = 0;
};

}  // namespace sft
