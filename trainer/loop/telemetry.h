// Metrics of training: the loop reports each update, and lines of metrics go to the sinks. Losses stay on
// their device until a line is due; then all ranks join the window's sums in one reduction.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/stopwatch.h"
#include "comm/communicator.h"
#include "trainer/loop/cadence.h"
#include "trainer/loop/evaluator.h"
#include "trainer/loop/run_state.h"
#include "trainer/telemetry/event.h"

namespace sft {

// One update as this rank saw it; `weight`, `samples` and `tokens` are of the whole global batch.
struct StepReport {
  int64_t step = 0;
  double epoch = 0;
  at::Tensor loss_sum;  // of this rank's share, a scalar
  at::Tensor penalty;   // L1 and L2 of the parameters, the same on every rank; added to the mean loss. Undefined: none
  double weight = 0;
  at::Tensor norm;  // of the gradient before clipping, a scalar
  double rate = 0;
  int64_t samples = 0;
  int64_t tokens = 0;
  std::vector<int64_t> ids;  // this rank's samples; empty unless log.sample_ids
};

class Telemetry {
 public:
  struct Settings {
    Cadence lines;
    int64_t total_steps = 0;
    bool sample_ids = false;
    std::function<double(int64_t tokens, int64_t samples)> flops;  // forward and backward
    double peak_flops = 0;                                         // of all ranks; 0: not measured
    int64_t traced_updates = 0;                                    // 0: no trace
    std::string trace_path = {};
  };

  // Opens the sinks of a run resumed at `resumed_step` (0: a new run). Called on rank 0 alone.
  using OpenSinks = std::function<std::vector<Sink>(int64_t resumed_step)>;

  // Borrows `control`. Every rank makes the same calls.
  Telemetry(const Settings& settings, Communicator& control, OpenSinks open_sinks);

  void start(int64_t resumed_step);

  bool writes_line(int64_t step) const { return settings_.lines.due(step); }
  void record(const StepReport& report, LossWindow& window);
  void record(const Evaluation& evaluation, int64_t step, double epoch);
  void summarize(const nlohmann::ordered_json& values, int64_t step);

  // Reduces the window's sums without writing a line. Called before the state is saved.
  void settle(LossWindow& window);

 private:
  void write_line(const StepReport& report, LossWindow& window);
  void write_ids(const StepReport& report);
  void leave_trace();
  void emit(Event::Kind kind, int64_t step, nlohmann::ordered_json values);

  Settings settings_;
  Communicator& control_;
  OpenSinks open_sinks_;
  std::vector<Sink> sinks_;
  std::vector<at::Tensor> pending_losses_, pending_penalties_;
  std::vector<double> pending_weights_;
  int64_t line_samples_ = 0, line_tokens_ = 0;
  Stopwatch line_watch_;
  int64_t updates_to_trace_ = 0;
};

// A number for JSON; one that is not finite is "NaN", "Infinity" or "-Infinity", and never dropped.
nlohmann::ordered_json shown(double value);

}  // namespace sft
