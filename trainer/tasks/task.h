// What is learned on top of a backbone: head, loss, metrics, predictions. A task knows no ranks; its metrics
// are counts that somebody else sums.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/schema.h"
#include "data/samples/batch.h"
#include "data/text/tokenizer.h"
#include "trainer/models/model.h"
#include "trainer/plugins/plugins.h"
#include "trainer/tasks/deciding.h"
#include "trainer/tasks/generating.h"
#include "trainer/tasks/loss_config.h"

namespace sft {

// Denominators of the terms of a loss, nearly always one: each term is a sum over real targets, divided once by its
// weight over the whole global batch.
using Weights = std::vector<double>;

// Sufficient statistics of an evaluation.
struct Statistics {
  std::vector<double> counts = {};   // summed over ranks, element by element
  std::vector<double> rows = {};     // gathered from all ranks, for what is no sum: ranks, areas under curves
  std::vector<double> outputs = {};  // likewise, where they are asked for: a sample's truths, 0 or 1, then its logits
};

// What is asked of an evaluated batch; null: not asked.
struct Asked {
  Statistics* statistics = nullptr;
  std::vector<std::string>* predictions = nullptr;  // becomes one JSON object a sample, in order
  bool outputs = false;                             // of a Deciding task: the statistics get them
  bool logits = false;  // of tasks with one row of them a sample: predictions have them as a list too
};

class Task {
 public:
  virtual ~Task() = default;
  virtual Needs needs() const = 0;  // the columns of targets
  virtual Reads reads() const = 0;
  // Of Reads::with_target: rows of the packed batch, ascending.
  virtual std::vector<int64_t> target_rows(const Batch&) const { return {}; }
  // Of a source and a target: what the decoder is fed with, packed along the target's axis. Nothing: one stream.
  virtual std::optional<std::vector<int32_t>> fed_tokens(const Batch&) const { return {}; }
  virtual bool reads_pooler() const = 0;              // false: the model's pooler has no part in the loss
  virtual bool keeps_pooler() const { return true; }  // false: the transformers class of the task has none
  virtual Parameters parameters() const = 0;          // the head; the pooler is the model's
  // True: the head came with the model, as a language model's, so that beside adapters it is frozen like the rest.
  virtual bool head_is_pretrained() const { return false; }

  // What a batch adds to each denominator, from targets alone: known before any forward.
  virtual Weights weights(const Batch& batch) const = 0;
  virtual size_t num_terms() const { return 1; }
  // Head and loss in training: a scalar with a graph, Σ over terms t of sum_t · total[0] / total[t], so that its
  // quotient by total[0] is the batch's part of the loss. `total`: of the global batch, above 0.
  virtual at::Tensor loss_sum(Model& model, const at::Tensor& features, const Inputs& inputs, const Batch& batch,
                              const Weights& total) = 0;

  // What is done to the trained head behind the last update, before the model is scored and left; once.
  virtual void conclude() {}

  virtual Statistics empty_statistics() const = 0;
  // Head in evaluation, without a graph.
  virtual void observe(Model& model, const at::Tensor& features, const Inputs& inputs, const Batch& batch,
                       const Asked& asked) = 0;
  // Named metrics in the order they are printed; "loss" (plain, unsmoothed, unweighted mean) first.
  virtual nlohmann::ordered_json metrics(const Statistics& total) const = 0;  // flat: name → number
  virtual nlohmann::ordered_json details(const Statistics& total) const = 0;  // per class, confusion matrix
  virtual std::string default_metric() const = 0;                             // "accuracy"
  // Of a name in metrics(): errors are better when they are smaller.
  virtual bool more_is_better(const std::string& metric) const { return metric != "loss"; }

  // The JSON object of a row, from those of its samples, at least one, in order: by default that of its first.
  virtual std::string prediction_of_row(const std::vector<std::string>& samples) const { return samples.front(); }

  // Floating point operations of the head's matrix products in a forward pass over so many rows that are read; 0 where
  // they are nothing beside the model's.
  virtual double flops(int64_t) const { return 0; }

  // True: code of others may fail on this rank alone where it cannot throw, since the others wait in the next sum over
  // ranks. Then all ask together, behind the sums of each update.
  virtual bool may_fail_alone() const { return false; }
  virtual void rethrow_failure() {}

  // Null where labels are not given by their probability. Borrowed.
  virtual Deciding* deciding() { return nullptr; }

  // Null where the model does not go on from prompts. Borrowed.
  virtual const Generating* generating() const { return nullptr; }

  // What config.json gets: num_labels, id2label, label2id, problem_type.
  virtual void describe(nlohmann::json& config) const = 0;
};

// The labels of a task, or the names of its numbers.
struct Labels {
  StringList names = {};             // by id
  std::vector<int64_t> counts = {};  // of training rows, by id; empty where nobody asked
  std::string problem_type = {};     // "": of a task that has no choice of them
  int64_t num_rows = 0;              // of training
  Schema samples = {};               // of training; no columns where that is not known
};

struct TaskSettings {
  std::string pooling = "auto";  // auto (the transformers class's) | cls | mean | pooler
  Labels labels = {};
  LossConfig loss = {};
  ScoreConfig scores = {};
  std::shared_ptr<const Plugins> plugins = {};  // null: none
  // Of models that go on from prompts.
  NumberList stop_tokens = {};           // ids that end an answer
  const Tokenizer* tokenizer = nullptr;  // borrowed; null where nothing is to be spelled out
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;
  uint64_t seed = 0;  // of the head's initialisation
  uint64_t dropout_seed = 0;
};

}  // namespace sft
