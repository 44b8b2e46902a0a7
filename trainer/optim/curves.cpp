#include "trainer/optim/curves.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string_view>

namespace sft {
namespace {

using std::numbers::pi;

// Updates since the warm-up, and their share of all that follow it.
int64_t after_warmup(const CurveSettings& s, int64_t step) { return step - s.warmup; }
int64_t updates_to_decay(const CurveSettings& s) { return std::max<int64_t>(1, s.total - s.warmup); }
double progress(const CurveSettings& s, int64_t step) {
  return std::min(1.0, static_cast<double>(after_warmup(s, step)) / static_cast<double>(updates_to_decay(s)));
}

double towards_floor(const CurveSettings& s, double share_left) { return s.floor + (1.0 - s.floor) * share_left; }

double constant(const CurveSettings&, int64_t) { return 1.0; }

double linear(const CurveSettings& s, int64_t step) { return towards_floor(s, 1.0 - progress(s, step)); }

double cosine(const CurveSettings& s, int64_t step) {
  return towards_floor(s, 0.5 * (1.0 + std::cos(pi * progress(s, step))));
}

// Power 1, down to 1e-7 itself where no floor was given: Hugging Face's defaults.
double polynomial(const CurveSettings& s, int64_t step) {
  constexpr double kEnd = 1e-7;
  const double end = s.floor > 0 ? s.floor : (s.peak > kEnd ? kEnd / s.peak : 0.0);
  return end + (1.0 - end) * (1.0 - progress(s, step));
}

double inverse_sqrt(const CurveSettings& s, int64_t step) {
  const auto timescale = static_cast<double>(s.warmup > 0 ? s.warmup : 10'000);
  return std::max(s.floor, 1.0 / std::sqrt(1.0 + static_cast<double>(after_warmup(s, step)) / timescale));
}

// StepLR(gamma = 0.1), three treads over the run.
double step_down(const CurveSettings& s, int64_t step) {
  const int64_t tread = (updates_to_decay(s) + 2) / 3;
  return std::max(s.floor, std::pow(0.1, static_cast<double>(after_warmup(s, step) / tread)));
}

// ExponentialLR with the gamma that ends at the floor, or at a hundredth where there is none.
double exponential(const CurveSettings& s, int64_t step) {
  return std::pow(s.floor > 0 ? s.floor : 0.01, progress(s, step));
}

// OneCycleLR's defaults: cosine from 1/25 to the peak over the warm-up, or over 30 % where none was asked for; then
// down to 1/25e4. Its cycling of the momentum is left out.
double one_cycle(const CurveSettings& s, int64_t step) {
  constexpr double kStart = 1.0 / 25.0;
  const double end = s.floor > 0 ? s.floor : kStart / 1e4;
  const auto total = static_cast<double>(s.total), at = static_cast<double>(step);
  const double peak_at = (s.warmup > 0 ? static_cast<double>(s.warmup) : 0.3 * total) - 1.0;
  const auto anneal = [](double from, double to, double share) {
    return to + (from - to) / 2.0 * (std::cos(pi * std::clamp(share, 0.0, 1.0)) + 1.0);
  };
  if (at <= peak_at) return peak_at > 0 ? anneal(kStart, 1.0, at / peak_at) : 1.0;
  return anneal(1.0, end, (at - peak_at) / std::max(1.0, total - 1.0 - peak_at));
}

template <Curve after>
double warmed_up(const CurveSettings& s, int64_t step) {
  return step < s.warmup ? warmup_factor(s, step) : after(s, step);
}

struct NamedCurve {
  std::string_view name;
  Curve curve;
};
constexpr std::array kCurves{
    NamedCurve{"linear", warmed_up<linear>},
    NamedCurve{"cosine", warmed_up<cosine>},
    NamedCurve{"cosine_with_restarts", warmed_up<cosine>},  // one cycle, Hugging Face's default
    NamedCurve{"constant", constant},
    NamedCurve{"constant_with_warmup", warmed_up<constant>},
    NamedCurve{"polynomial", warmed_up<polynomial>},
    NamedCurve{"inverse_sqrt", warmed_up<inverse_sqrt>},
    NamedCurve{"step", warmed_up<step_down>},
    NamedCurve{"exponential", warmed_up<exponential>},
    NamedCurve{"one_cycle", one_cycle},
};

}  // namespace

double warmup_factor(const CurveSettings& settings, int64_t step) {
  if (step >= settings.warmup) return 1.0;
  return static_cast<double>(step) / static_cast<double>(settings.warmup);
}

Curve find_curve(const std::string& name) {
  const auto found = std::find_if(kCurves.begin(), kCurves.end(), [&](const NamedCurve& c) { return c.name == name; });
  return found == kCurves.end() ? nullptr : found->curve;
}

std::vector<std::string> curve_names() {
  std::vector<std::string> names;
  for (const NamedCurve& curve : kCurves) names.emplace_back(curve.name);
  return names;
}

}  // namespace sft
