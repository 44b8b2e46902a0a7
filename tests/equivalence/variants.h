// One training job, run in many cuts: ranks, micro-batches, accumulation. What must not change with the cut is
// what run() returns.
#pragma once

#include <nlohmann/json.hpp>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "base/schema.h"
#include "equivalence/toys.h"
#include "trainer/adapters/freeze.h"
#include "trainer/adapters/lora_config.h"
#include "trainer/models/blocks/batch_norm.h"
#include "trainer/optim/optim_config.h"
#include "trainer/optim/penalty.h"

namespace sft::equivalence {

// A task on a model, with what makes its loss hard to cut. A new task or model is enrolled by one line in cases().
struct Case {
  std::string name;
  std::string task = "text_classification";
  nlohmann::json model;
  int64_t num_labels = 5;
  std::string problem_type;
  std::string pooling = "auto";
  double label_smoothing = 0;
  std::string loss = "auto";
  bool has_plugins = false;  // own_loss.h
  bool has_teacher = false;  // the rows have distributions and a teacher's logits
  double logit_adjustment = 0, distill_weight = 0;
  std::string sampling = "random";
  Penalty penalty;
  std::set<std::string> pretrained;  // of penalty.l2_from_start
  bool two_terms = false;            // the loss has a second term with a denominator of its own
  WordOrNumbers class_weights;
  WordOrNumbers pos_weight;
  OptimConfig optim;
  FreezeConfig freeze;
  LoraConfig lora;
  int64_t cropped_to = 0;                           // images: the side of random resized crops; 0: shifted windows
  int64_t scaled_to = 0;                            // images: the side of windows of scaled ones
  BatchNormMode batch_norm = BatchNormMode::local;  // of models that have it
  bool micro_batches_are_free = true;               // false: BatchNorm sees them, so a rank has one an update
  int64_t rows = 42;                                // 42 in batches of 8: the last one is short
  int64_t global_batch_size = 8;
  int64_t updates = 20;
  double max_grad_norm = 0.05;  // low enough to bite at every update
  bool in_double = true;
};
std::vector<Case> cases();

struct Cut {
  int ranks = 1;
  int64_t max_samples = 0;  // in a micro-batch; 0: no bound
  int parts = 0;            // of a batch over all ranks, added as one tree; 0: one a rank, added in any order
  Toy toy = Toy::none;
  bool caches_activations = false;
  std::string strategy = "replicated";
};

// How GoogleTest names them.
inline void PrintTo(const Case& job, std::ostream* out) { *out << job.name; }
inline void PrintTo(const Cut& cut, std::ostream* out) {
  *out << cut.ranks << " ranks, micro-batches of " << cut.max_samples << ", " << cut.strategy;
}

struct Outcome {
  std::vector<double> losses, norms;      // an update each
  std::vector<std::vector<int64_t>> ids;  // samples of each update, sorted
  using Named = std::vector<std::pair<std::string, std::vector<double>>>;
  Named weights, gradients;        // after and of the last update
  std::vector<double> evaluation;  // metrics, in order
  int64_t excess = 0;  // tokens of a rank in an update above its even share, beyond one sample; the most of all
};
Outcome run(const Case& job, const Cut& cut);

// The largest deviation of `a` from `b`, relative where b is above 1; infinite where one has more numbers.
double worst(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace sft::equivalence
