// The state of a run beside its tensors: a resumed run continues from both as if it had never stopped.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "data/loading/sampler.h"

namespace sft {

// Sums since the last line of metrics.jsonl, over all ranks.
struct LossWindow {
  double loss_sum = 0;
  double weight = 0;
  int64_t updates = 0;
};

struct RunState {
  int64_t step = 0;
  Cursor cursor;
  int64_t samples = 0;  // trained on, earlier sessions included
  int64_t tokens = 0;
  int64_t skipped_updates = 0;  // updates whose gradients were not finite, or that had nothing to learn
  int64_t not_finite_in_a_row = 0;
  double seconds = 0;  // of training, earlier sessions included
  LossWindow window;
  std::optional<double> best_metric;
  std::string best_measured_by;  // metric and rows of best_metric; "" where an earlier build saved it
  int64_t best_step = 0;         // of the evaluation that gave best_metric; 0 where an earlier build saved it
  std::string best_checkpoint;   // path relative to output_dir
  void take_best_of(const RunState& other) {
    best_metric = other.best_metric;
    best_step = other.best_step;
    best_measured_by = other.best_measured_by;
    best_checkpoint = other.best_checkpoint;
  }
  int64_t evaluations = 0;
  int64_t evaluations_without_gain = 0;
  std::string schedule;  // state of reduce_lr_on_plateau
  nlohmann::ordered_json last_evaluation = nullptr;

  // True while no update has changed a weight: there is no progress to save or to report.
  bool has_learned_nothing() const { return skipped_updates == step; }
};

nlohmann::json to_json(const RunState& state, double epoch);
RunState run_state_from(const nlohmann::json& json);

}  // namespace sft
