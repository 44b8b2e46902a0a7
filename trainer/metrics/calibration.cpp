#include "trainer/metrics/calibration.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <nlohmann/json.hpp>

namespace sft {
namespace {

enum : size_t { kSamples, kProbability, kCameTrue };

// As numpy.linspace(0, 1, kBins + 1) has it.
double edge(size_t i) { return static_cast<double>(i) * (1.0 / static_cast<double>(Reliability::kBins)); }

double mean(double sum, double samples) { return samples > 0 ? sum / samples : 0; }

// Of Σ log p(truth) by β = 1 / T, with its sign turned: Σ (expected logit − true one). It grows with β.
double slope_at(double beta, std::span<const double> rows, size_t width, Squash squash) {
  double slope = 0;
  for (size_t row = 0; row < rows.size(); row += 2 * width) {
    const double *truth = &rows[row], *logit = &rows[row + width];
    if (squash == Squash::sigmoid) {
      for (size_t k = 0; k < width; ++k) slope += logit[k] * (1 / (1 + std::exp(-beta * logit[k])) - truth[k]);
      continue;
    }
    const double most = *std::max_element(logit, logit + width);
    double total = 0, expected = 0, given = 0;
    for (size_t k = 0; k < width; ++k) {
      const double share = std::exp(beta * (logit[k] - most));
      total += share;
      expected += share * logit[k];
      given += truth[k] * logit[k];
    }
    slope += expected / total - given;
  }
  return slope;
}

}  // namespace

void Reliability::add(double probability, bool came_true, std::span<double> counts) {
  assert(counts.size() == kCounts);
  size_t bin = 0;
  while (bin + 1 < kBins && edge(bin + 1) < probability) ++bin;
  counts[3 * bin + kSamples] += 1;
  counts[3 * bin + kProbability] += probability;
  counts[3 * bin + kCameTrue] += came_true;
}

double Reliability::expected_error() const {
  double error = 0, samples = 0;
  for (size_t bin = 0; bin < kBins; ++bin) {
    error += std::abs(counts_[3 * bin + kCameTrue] - counts_[3 * bin + kProbability]);
    samples += counts_[3 * bin + kSamples];
  }
  return mean(error, samples);
}

nlohmann::ordered_json Reliability::table() const {
  auto bins = nlohmann::ordered_json::array();
  for (size_t bin = 0; bin < kBins; ++bin) {
    const double samples = counts_[3 * bin + kSamples];
    if (samples == 0) continue;
    bins.push_back({{"above", edge(bin)},
                    {"up_to", bin + 1 == kBins ? 1.0 : edge(bin + 1)},
                    {"samples", static_cast<int64_t>(samples)},
                    {"probability", mean(counts_[3 * bin + kProbability], samples)},
                    {"came_true", mean(counts_[3 * bin + kCameTrue], samples)}});
  }
  return {{"expected_calibration_error", expected_error()}, {"bins", std::move(bins)}};
}

double best_temperature(std::span<const double> rows, size_t num_outputs, Squash squash) {
  assert(num_outputs > 0 && rows.size() % (2 * num_outputs) == 0);
  if (rows.empty()) return 1;
  double least = std::log(0.01), most = std::log(100.0);  // of log β
  if (slope_at(std::exp(least), rows, num_outputs, squash) > 0 ||
      slope_at(std::exp(most), rows, num_outputs, squash) < 0)
    return 1;  // no least loss between them: rows without a mistake, or predictions that say nothing
  for (int halving = 0; halving < 60; ++halving) {
    const double middle = (least + most) / 2;
    (slope_at(std::exp(middle), rows, num_outputs, squash) < 0 ? least : most) = middle;
  }
  return std::exp(-(least + most) / 2);
}

}  // namespace sft
