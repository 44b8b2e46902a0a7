#include "trainer/metrics/surest_mistakes.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <tuple>

namespace sft {
namespace {

bool comes_first(const Mistake& a, const Mistake& b) {
  return std::tuple(-a.score, a.row, a.target) < std::tuple(-b.score, b.row, b.target);
}

double probability_of(double logit) { return 1 / (1 + std::exp(-logit)); }

nlohmann::ordered_json name_or_null(const std::vector<std::string>& names, int64_t label) {
  return label < 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(names.at(static_cast<size_t>(label)));
}

}  // namespace

void SurestMistakes::judge(int64_t row, int64_t target, int64_t targets, std::span<const double> truths,
                           std::span<const double> logits) {
  assert(!logits.empty() && truths.size() == logits.size());
  if (squash_ == Squash::sigmoid) {
    for (size_t k = 0; k < logits.size(); ++k) {
      const double likely = probability_of(logits[k]);
      const bool is_given = likely > thresholds_.at(k), is_there = truths[k] != 0;
      const auto label = static_cast<int64_t>(k);
      if (is_given && !is_there) keep({row, target, targets, -1, label, likely});
      if (!is_given && is_there) keep({row, target, targets, label, -1, 1 - likely});
    }
    return;
  }
  const auto best = std::ranges::max_element(logits);
  const auto truth = std::ranges::max_element(truths);
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - *best);
  const auto likely = [&](int64_t label) { return std::exp(logits[static_cast<size_t>(label)] - *best) / sum; };
  const int64_t given = thresholds_.empty() ? best - logits.begin() : likely(1) > thresholds_[0];
  if (*truth == 0 || truth - truths.begin() == given) return;
  keep({row, target, targets, truth - truths.begin(), given, likely(given)});
}

void SurestMistakes::keep(const Mistake& mistake) {
  const auto same_row = std::ranges::find(found_, mistake.row, &Mistake::row);
  if (same_row != found_.end()) {
    if (!comes_first(mistake, *same_row)) return;
    found_.erase(same_row);
  }
  found_.insert(std::ranges::upper_bound(found_, mistake, comes_first), mistake);
  if (found_.size() > most_) found_.pop_back();
}

std::string SurestMistakes::to_bytes() const {
  return {reinterpret_cast<const char*>(found_.data()), found_.size() * sizeof(Mistake)};
}

void SurestMistakes::merge(const std::string& bytes) {
  std::vector<Mistake> others(bytes.size() / sizeof(Mistake));
  if (!others.empty()) std::memcpy(others.data(), bytes.data(), others.size() * sizeof(Mistake));
  for (const Mistake& mistake : others) keep(mistake);
}

nlohmann::ordered_json SurestMistakes::told(const std::vector<std::string>& names, bool targets) const {
  auto all = nlohmann::ordered_json::array();
  for (const Mistake& mistake : found_) {
    nlohmann::ordered_json one{{"row", mistake.row},
                               {"reference", name_or_null(names, mistake.truth)},
                               {"label", name_or_null(names, mistake.guess)},
                               {"score", mistake.score}};
    if (targets) one.update({{"word", mistake.target}, {"of_words", mistake.targets}});
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace sft
