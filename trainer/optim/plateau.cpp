#include "trainer/optim/plateau.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

constexpr double kFactor = 0.1;
constexpr double kThreshold = 1e-4;
constexpr double kSmallestCut = 1e-8;  // torch's eps: a smaller change of the rate is not made
constexpr int64_t kPatience = 10;

}  // namespace

Plateau::Plateau(const CurveSettings& settings) : settings_(settings), rate_(settings.peak) {}

double Plateau::rate(int64_t step) const { return rate_ * warmup_factor(settings_, step); }

void Plateau::observe(double metric, bool greater_is_better) {
  const bool improved =
      !best_ ? std::isfinite(metric)
             : (greater_is_better ? metric > *best_ * (1.0 + kThreshold) : metric < *best_ * (1.0 - kThreshold));
  if (improved) {
    best_ = metric;
    bad_evaluations_ = 0;
    return;
  }
  if (++bad_evaluations_ <= kPatience) return;
  bad_evaluations_ = 0;
  const double cut = std::max(rate_ * kFactor, settings_.peak * settings_.floor);
  if (rate_ - cut > kSmallestCut) rate_ = cut;
}

std::string Plateau::state() const {
  nlohmann::json state = {{"rate", rate_}, {"bad_evaluations", bad_evaluations_}};
  if (best_) state["best"] = *best_;
  return state.dump();
}

void Plateau::restore(const std::string& text) {
  const auto state = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto has_number = [&](const char* key) { return state.contains(key) && state[key].is_number(); };
  if (!state.is_object() || !has_number("rate") || !has_number("bad_evaluations")) {
    throw DataError(
        concat("the checkpoint's schedule: wanted the state of reduce_lr_on_plateau, found ", in_quotes(text)));
  }
  rate_ = state["rate"].get<double>();
  bad_evaluations_ = state["bad_evaluations"].get<int64_t>();
  best_ = has_number("best") ? std::optional(state["best"].get<double>()) : std::nullopt;
}

void Plateau::forget_best() {
  best_.reset();
  bad_evaluations_ = 0;
}

}  // namespace sft
