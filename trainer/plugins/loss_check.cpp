// Central differences with a step h are wrong by about h² f''' / 6 and by ε |f| / h; h = 1e-5 makes both about 1e-10 of
// losses near 1. Where a loss has a kink between x − h and x + h, the one-sided differences differ, and no difference
// tells the derivative.
#include "trainer/plugins/loss_check.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "base/random.h"
#include "base/text.h"

namespace sft {
namespace {

constexpr size_t kRows = 32, kMostOutputs = 64;  // of a row, whose derivatives are measured
constexpr double kStep = 1e-5, kTolerance = 1e-6, kKink = 1e-3;

struct DrawnRow {
  std::vector<double> logits, targets;
  int64_t label = -1;

  plugin::Row row() const {
    return {static_cast<int64_t>(logits.size()), logits.data(), label, targets.empty() ? nullptr : targets.data()};
  }
};

// Above 0 and at most 1.
double uniform(uint64_t key, uint64_t place) {
  const auto bits = philox({static_cast<uint32_t>(place), static_cast<uint32_t>(place >> 32), 0, 0},
                           {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)});
  return (static_cast<double>(bits[0]) + 1) / 4294967296.0;
}

// Box and Muller's.
double normal(uint64_t key, uint64_t place) {
  const double turn = 2 * std::numbers::pi * uniform(key, 2 * place + 1);
  return std::sqrt(-2 * std::log(uniform(key, 2 * place))) * std::cos(turn);
}

std::vector<DrawnRow> drawn_rows(RowTargets targets, size_t outputs) {
  const uint64_t logits = derive_key(0, "plugin logits"), of_targets = derive_key(0, "plugin targets");
  std::vector<DrawnRow> rows(kRows);
  for (size_t i = 0; i < kRows; ++i) {
    const auto first = static_cast<uint64_t>(i * outputs);
    for (uint64_t k = first; k < first + outputs; ++k) {
      rows[i].logits.push_back(2 * normal(logits, k));
      if (targets == RowTargets::label_set) rows[i].targets.push_back(uniform(of_targets, k) > 0.5 ? 1 : 0);
      if (targets == RowTargets::numbers) rows[i].targets.push_back(2 * normal(of_targets, k));
    }
    if (targets == RowTargets::label) rows[i].label = static_cast<int64_t>(i % outputs);
  }
  return rows;
}

class Check {
 public:
  explicit Check(const PluginLoss& loss) : loss_(loss) {}

  void run(RowTargets targets, int64_t num_outputs) {
    const std::vector<DrawnRow> rows = drawn_rows(targets, static_cast<size_t>(num_outputs));
    std::vector<double> values;
    for (const DrawnRow& row : rows) values.push_back(value_of(row));
    for (size_t i = rows.size(); i-- > 0;) require_gradient(rows[i]);
    for (size_t i = rows.size(); i-- > 0;)
      if (const double again = value_of(rows[i]); again != values[i])
        refuse(rows[i], concat("it is ", values[i], ", and ", again, " when asked again behind other rows"));
  }

 private:
  double value_of(const DrawnRow& row) {
    gradient_.assign(row.logits.size(), std::numeric_limits<double>::quiet_NaN());
    const auto ask = [&](const plugin::Loss& code) { return code.value(row.row(), gradient_.data()); };
    const double value = called(loss_, ask);
    if (!std::isfinite(value)) refuse(row, concat("it is ", value));
    return value;
  }

  double moved(const DrawnRow& row, size_t output, double step) {
    DrawnRow beside = row;
    beside.logits[output] += step;
    return value_of(beside);
  }

  void require_gradient(const DrawnRow& row) {
    const double here = value_of(row);
    const std::vector<double> told = gradient_;
    // What adding up many numbers leaves in a difference.
    const double rounding = 8 * std::numeric_limits<double>::epsilon() * std::sqrt(static_cast<double>(told.size())) *
                            std::abs(here) / kStep;
    for (size_t k = 0; k < told.size(); k += std::max<size_t>(told.size() / kMostOutputs, 1)) {
      if (!std::isfinite(told[k])) refuse(row, concat("gradient[", k, "] is ", told[k], ", or was not written"));
      const double above = (moved(row, k, kStep) - here) / kStep, below = (here - moved(row, k, -kStep)) / kStep;
      const double size = 1 + std::abs(above) + std::abs(below), measured = (above + below) / 2;
      if (std::abs(above - below) > kKink * size) continue;
      if (std::abs(told[k] - measured) > kTolerance * size + rounding)
        refuse(row, concat("gradient[", k, "] is ", told[k], ", and by differences in float64 it is ", measured));
    }
  }

  [[noreturn]] void refuse(const DrawnRow& row, const std::string& what) const {
    std::string target = row.label >= 0 ? concat("label ", row.label) : "targets";
    for (const double value : row.targets) target += concat(" ", value);
    std::string logits;
    for (size_t k = 0; k < std::min<size_t>(row.logits.size(), 6); ++k) logits += concat(" ", row.logits[k]);
    fail_of_plugin(loss_.file, loss_.name,
                   concat(what, " (a drawn row: ", target, ", logits", logits, row.logits.size() > 6 ? " …" : "", ")"));
  }

  const PluginLoss& loss_;
  std::vector<double> gradient_;
};

}  // namespace

void require_sound(const PluginLoss& loss, RowTargets targets, int64_t num_outputs) {
  Check(loss).run(targets, num_outputs);
}

}  // namespace sft
