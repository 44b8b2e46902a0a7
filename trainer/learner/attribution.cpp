#include "trainer/learner/attribution.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "base/errors.h"

namespace sft {
namespace {

constexpr int kPoints = 32;

at::Tensor labels_of(Explainable& batch) {
  const at::NoGradGuard no_graph;
  return batch.labels(batch.logits(batch.x()));
}

// Σ over samples of the labels' logits, differentiated by x.
at::Tensor slope(Explainable& batch, const at::Tensor& x, const at::Tensor& labels_B1) {
  const at::AutoGradMode graph(true);
  const at::Tensor leaf = x.detach().set_requires_grad(true);
  const at::Tensor chosen = batch.logits(leaf).gather(1, labels_B1).sum();
  chosen.backward({}, /*retain_graph=*/false, /*create_graph=*/false, at::TensorList(leaf));  // of no parameter
  return leaf.grad();
}

std::vector<Attribution> with_scores(std::vector<std::vector<double>> scores) {
  std::vector<Attribution> all;
  for (std::vector<double>& of_sample : scores) all.push_back({std::move(of_sample)});
  return all;
}

std::vector<Attribution> gradient(Explainable& batch) {
  const at::Tensor x = batch.x(), slope_of_x = slope(batch, x, labels_of(batch)).to(at::kDouble);
  return with_scores(batch.over_parts(slope_of_x * (x.to(at::kDouble) - batch.origin().to(at::kDouble))));
}

std::vector<Attribution> integrated(Explainable& batch) {
  const at::Tensor x = batch.x(), blank = batch.blank(), way = x - blank, labels_B1 = labels_of(batch);
  at::Tensor slopes = at::zeros_like(way, at::kDouble);
  for (const auto& [place, weight] : gauss_legendre(kPoints))
    slopes += slope(batch, blank + place * way, labels_B1).to(at::kDouble) * weight;
  std::vector<Attribution> all = with_scores(batch.over_parts(slopes * way.to(at::kDouble)));
  const at::NoGradGuard no_graph;
  const auto reached = numbers_of(batch.logits(x).gather(1, labels_B1)),
             started = numbers_of(batch.logits(blank).gather(1, labels_B1));
  for (size_t b = 0; b < all.size(); ++b)
    all[b].convergence_delta =
        std::accumulate(all[b].scores.begin(), all[b].scores.end(), 0.0) - (reached[b] - started[b]);
  return all;
}

// The j-th parts of all samples are hidden in one pass.
std::vector<Attribution> occlusion(Explainable& batch) {
  const at::NoGradGuard no_graph;
  const at::Tensor labels_B1 = labels_of(batch);
  const auto probabilities = [&](const at::Tensor& x) {
    return numbers_of(at::softmax(batch.logits(x).to(at::kDouble), 1).gather(1, labels_B1));
  };
  const std::vector<double> whole = probabilities(batch.x());
  const std::vector<size_t> parts = batch.num_parts();
  std::vector<Attribution> all(parts.size());
  const size_t most = parts.empty() ? 0 : *std::ranges::max_element(parts);
  for (size_t part = 0; part < most; ++part) {
    const std::vector<double> left = probabilities(batch.without(part));
    for (size_t b = 0; b < all.size(); ++b)
      if (part < parts[b]) all[b].scores.push_back(whole[b] - left[b]);
  }
  return all;
}

struct Way {
  std::string name;
  std::vector<Attribution> (*attribute)(Explainable&);
};

const std::vector<Way>& ways() {
  static const std::vector<Way> all{{"gradient", gradient}, {"integrated", integrated}, {"occlusion", occlusion}};
  return all;
}

}  // namespace

const std::vector<std::string>& attribution_ways() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Way& way : ways()) all.push_back(way.name);
    return all;
  }();
  return names;
}

std::vector<Attribution> attribute(const std::string& way, Explainable& batch) {
  return std::ranges::find(ways(), way, &Way::name)->attribute(batch);
}

LogitsTask& explained_task(Learner& learner) {
  auto* task = dynamic_cast<LogitsTask*>(&learner.task());
  if (task == nullptr || !task->has_logits_of_samples())
    throw ConfigError("explanations are for models that give each row one label");
  return *task;
}

std::vector<double> numbers_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kDouble).cpu().flatten().contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

std::vector<std::pair<double, double>> gauss_legendre(int n) {
  std::vector<std::pair<double, double>> rule;
  for (int i = 0; i < n; ++i) {
    double x = std::cos(std::numbers::pi * (i + 0.75) / (n + 0.5)), slope = 0, moved = 1;
    for (int round = 0; round < 100 && std::abs(moved) > 1e-16; ++round) {
      double before = 1, here = x;  // Legendre's polynomials P₀ and P₁ at x
      for (int k = 2; k <= n; ++k) {
        const double next = ((2 * k - 1) * x * here - (k - 1) * before) / k;
        before = here;
        here = next;
      }
      slope = n * (x * here - before) / (x * x - 1);
      moved = here / slope;
      x -= moved;
    }
    rule.emplace_back((1 - x) / 2, 1 / ((1 - x * x) * slope * slope));
  }
  return rule;
}

}  // namespace sft
