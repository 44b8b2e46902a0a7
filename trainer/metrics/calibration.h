// Whether probabilities are as often right as they say, and the temperature that makes them so (Guo et al., "On
// calibration of modern neural networks", 2017).
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <vector>

namespace sft {

// A reliability table from counts, so that it is exact on any number of ranks: samples in bins of equal width by their
// probability, right edges belong to their bin.
class Reliability {
 public:
  static constexpr size_t kBins = 15, kCounts = 3 * kBins;

  // `counts` as add() fills them: a bin's samples, the sum of their probabilities, how many came true.
  explicit Reliability(std::span<const double> counts) : counts_(counts.begin(), counts.end()) {}
  static void add(double probability, bool came_true, std::span<double> counts);

  // Σ over bins of samples / all · |came true − probability|, means of a bin; 0 of no samples.
  double expected_error() const;

  // {"expected_calibration_error", "bins": [{"above", "up_to", "samples", "probability", "came_true"}]}: filled bins.
  nlohmann::ordered_json table() const;

 private:
  std::vector<double> counts_;
};

// How a sample's outputs become probabilities: one label a sample, or each label by itself.
enum class Squash { softmax, sigmoid };

// The temperature T by which logits are divided for the least cross-entropy, between 0.01 and 100. `rows`: of each
// sample num_outputs truths (probabilities, for softmax of sum 1), then as many logits. 1 of no rows.
double best_temperature(std::span<const double> rows, size_t num_outputs, Squash squash);

}  // namespace sft
