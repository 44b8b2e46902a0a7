#include "trainer/metrics/confident_learning.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sft {
namespace {

constexpr double kTie = 1e-6;     // numbers that are no further apart are equal
constexpr double kNoLabel = 2;    // above every probability: the threshold of a class without a row
constexpr double kTiny = 1e-100;  // in place of a sum of nothing
constexpr int64_t kKeptPerClass = 1;

// [K]: the mean probability of a class over the rows that have its label.
std::vector<double> confident_thresholds(const LabelledProbabilities& rows) {
  const auto classes = static_cast<size_t>(rows.num_classes);
  std::vector<double> sums(classes), counts(classes);
  for (int64_t i = 0; i < rows.size(); ++i) {
    const auto label = static_cast<size_t>(rows.labels[static_cast<size_t>(i)]);
    sums[label] += rows.self_confidence(i);
    counts[label] += 1;
  }
  std::vector<double> thresholds(classes, kNoLabel);
  for (size_t k = 0; k < classes; ++k)
    if (counts[k] > 0) thresholds[k] = std::max(sums[k] / counts[k], 2 * kTie);
  return thresholds;
}

// The class whose threshold alone is reached, or of several the likeliest; −1: none is.
int64_t confident_class(const LabelledProbabilities& rows, int64_t row, const std::vector<double>& thresholds) {
  int64_t reached = 0, first = -1;
  for (int64_t k = 0; k < rows.num_classes; ++k)
    if (rows.at(row, k) >= thresholds[static_cast<size_t>(k)] - kTie && ++reached == 1) first = k;
  return reached > 1 ? rows.likeliest(row) : first;
}

// Whole numbers of the same sum: the nearest ones, and of those that were rounded furthest as many as the sum asks for
// the next.
std::vector<int64_t> rounded(std::span<const double> numbers) {
  std::vector<double> whole;
  for (const double number : numbers) whole.push_back(std::nearbyint(number));
  const double wanted = std::nearbyint(std::accumulate(numbers.begin(), numbers.end(), 0.0));
  for (double sum = std::accumulate(whole.begin(), whole.end(), 0.0); std::abs(sum - wanted) > kTie;
       sum = std::accumulate(whole.begin(), whole.end(), 0.0)) {
    std::vector<size_t> order(numbers.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::stable_sort(order, {}, [&](size_t i) { return numbers[i] - whole[i]; });
    const bool grows = wanted > sum;
    if (grows) std::ranges::reverse(order);
    const auto changes = std::min(static_cast<size_t>(std::nearbyint(std::abs(wanted - sum))), order.size());
    for (size_t i = 0; i < changes; ++i) whole[order[i]] += grows ? 1 : -1;
  }
  return {whole.begin(), whole.end()};
}

// [K, K] by given label and likely true one: how many rows are to be taken. Each class keeps a row, for which the
// counts of its column give way.
std::vector<int64_t> rows_to_take(std::vector<int64_t> joint, int64_t num_classes) {
  const auto classes = static_cast<size_t>(num_classes);
  for (size_t given = 0; given < classes; ++given) {
    int64_t& kept = joint[given * classes + given];
    const int64_t missing = std::max(kKeptPerClass - kept, int64_t{0});
    if (missing == 0) continue;
    const auto others = std::count_if(joint.begin() + static_cast<int64_t>(given * classes),
                                      joint.begin() + static_cast<int64_t>((given + 1) * classes),
                                      [](int64_t count) { return count != 0; }) -
                        1;
    const double less = static_cast<double>(missing) / static_cast<double>(std::max<int64_t>(others, 1));
    for (size_t truly = 0; truly < classes; ++truly) {
      int64_t& count = joint[given * classes + truly];
      if (truly != given) count = static_cast<int64_t>(std::max(static_cast<double>(count) - less, 0.0));
    }
    kept += missing;
  }
  return joint;
}

// Whether the given label is the likeliest, or no further below than a tie.
bool is_likeliest(const LabelledProbabilities& rows, int64_t row) {
  const int64_t label = rows.labels[static_cast<size_t>(row)];
  const double here = rows.self_confidence(row) + kTie;
  for (int64_t k = 0; k < rows.num_classes; ++k)
    if (k < label ? rows.at(row, k) >= here : k > label && rows.at(row, k) > here) return false;
  return true;
}

}  // namespace

int64_t LabelledProbabilities::likeliest(int64_t row) const {
  const auto first = probabilities.begin() + row * num_classes;
  return std::max_element(first, first + num_classes) - first;
}

double LabelledProbabilities::margin(int64_t row) const {
  double other = 0;
  for (int64_t k = 0; k < num_classes; ++k)
    if (k != labels[static_cast<size_t>(row)]) other = std::max(other, at(row, k));
  return self_confidence(row) - other;
}

std::vector<int64_t> confident_joint(const LabelledProbabilities& rows) {
  const auto classes = static_cast<size_t>(rows.num_classes);
  const std::vector<double> thresholds = confident_thresholds(rows);
  std::vector<double> joint(classes * classes), given(classes);
  for (int64_t i = 0; i < rows.size(); ++i) {
    const auto label = static_cast<size_t>(rows.labels[static_cast<size_t>(i)]);
    given[label] += 1;
    const int64_t truly = confident_class(rows, i, thresholds);
    if (truly >= 0) joint[label * classes + static_cast<size_t>(truly)] += 1;
  }
  for (size_t k = 0; k < classes; ++k) joint[k * classes + k] = std::max(joint[k * classes + k], 1.0);

  double total = 0;
  for (size_t k = 0; k < classes; ++k) {
    const std::span<double> row = std::span(joint).subspan(k * classes, classes);
    const double sum = std::max(std::accumulate(row.begin(), row.end(), 0.0), kTiny);
    for (double& count : row) total += count = count / sum * given[k];
  }
  std::vector<int64_t> counts;
  for (double& count : joint) count = count / std::max(total, kTiny) * static_cast<double>(rows.size());
  for (size_t k = 0; k < classes; ++k) {
    const std::vector<int64_t> row = rounded(std::span(joint).subspan(k * classes, classes));
    counts.insert(counts.end(), row.begin(), row.end());
  }
  return counts;
}

std::vector<int64_t> find_label_issues(const LabelledProbabilities& rows) {
  const auto classes = static_cast<size_t>(rows.num_classes);
  const std::vector<int64_t> take = rows_to_take(confident_joint(rows), rows.num_classes);
  std::vector<std::vector<int64_t>> of_class(classes);
  for (int64_t i = 0; i < rows.size(); ++i)
    of_class[static_cast<size_t>(rows.labels[static_cast<size_t>(i)])].push_back(i);

  std::vector<bool> taken(static_cast<size_t>(rows.size()));
  for (size_t given = 0; given < classes; ++given) {
    if (std::ssize(of_class[given]) <= kKeptPerClass) continue;
    for (size_t truly = 0; truly < classes; ++truly) {
      const int64_t count = std::min<int64_t>(take[given * classes + truly], std::ssize(of_class[given]));
      if (truly == given || count <= 0) continue;
      std::vector<int64_t> order = of_class[given];
      std::ranges::stable_sort(order, std::greater(), [&](int64_t i) {
        return rows.at(i, static_cast<int64_t>(truly)) - rows.at(i, static_cast<int64_t>(given));
      });
      for (int64_t i = 0; i < count; ++i) taken[static_cast<size_t>(order[static_cast<size_t>(i)])] = true;
    }
  }
  std::vector<int64_t> issues;
  for (int64_t i = 0; i < rows.size(); ++i)
    if (taken[static_cast<size_t>(i)] && !is_likeliest(rows, i)) issues.push_back(i);
  std::ranges::stable_sort(issues, {}, [&](int64_t i) { return rows.self_confidence(i); });
  return issues;
}

}  // namespace sft
