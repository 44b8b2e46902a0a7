#include "trainer/learner/attribution.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

constexpr int kPoints = 32;

LogitsTask& logits_task(Learner& learner) {
  auto* task = dynamic_cast<LogitsTask*>(&learner.task());
  if (task == nullptr || !task->has_logits_of_samples())
    throw ConfigError("--explain is for models that give each row of texts one label");
  return *task;
}

// Stage 0 alone is run without a graph, so that what it returns can be a leaf.
StageRule behind_embedding(const Model& model) {
  return {.trains = std::vector<bool>(static_cast<size_t>(model.num_stages()), false), .first_trained = 1};
}

std::vector<double> numbers_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kDouble).cpu().flatten().contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

at::Tensor flags_of(const std::vector<bool>& flags, const at::Device& device) {
  return at::tensor(std::vector<int64_t>(flags.begin(), flags.end()), at::kLong).to(device).gt(0);
}

std::vector<Attribution> of_words(const std::vector<double>& of_tokens, const Offsets& offsets,
                                  const BatchWords& words) {
  std::vector<Attribution> all(words.num_words.size());
  for (size_t b = 0; b < all.size(); ++b) {
    all[b].scores.resize(words.num_words[b]);
    for (auto t = static_cast<size_t>(offsets[b]); t < static_cast<size_t>(offsets[b + 1]); ++t)
      if (words.word_of[t] >= 0) all[b].scores[static_cast<size_t>(words.word_of[t])] += of_tokens[t];
  }
  return all;
}

}  // namespace

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

Attributor::Attributor(Learner& learner, int32_t blank)
    : learner_(learner),
      task_(logits_task(learner)),
      stages_(learner.model(), behind_embedding(learner.model())),
      blank_(blank) {}

at::Tensor Attributor::embed(const Inputs& inputs) {
  const at::Tensor x_NC = stages_.frozen_activations(inputs, Mode::evaluation);
  const auto* text = std::get_if<TextInputs>(&inputs);
  if (text == nullptr || !x_NC.defined() || x_NC.dim() != 2 || x_NC.size(0) != text->host_offsets.back())
    throw ConfigError(concat("--explain: the embedding of this model (",
                             learner_.model().config().value("model_type", "?"),
                             ") has not one row a token of a text"));
  return x_NC;
}

at::Tensor Attributor::logits(const at::Tensor& embedded_NC, const Inputs& inputs) {
  return task_.logits(learner_.model(), stages_.trained_part(embedded_NC, inputs, Mode::evaluation), inputs,
                      Mode::evaluation);
}

Attributor::Pass Attributor::begin(const Inputs& inputs) {
  const at::NoGradGuard no_graph;
  const at::Tensor embedded_NC = embed(inputs);
  return {embedded_NC, logits(embedded_NC, inputs).argmax(1, /*keepdim=*/true)};
}

std::pair<at::Tensor, at::Tensor> Attributor::slope(const at::Tensor& embedded_NC, const Inputs& inputs,
                                                    const at::Tensor& labels_B1) {
  const at::AutoGradMode graph(true);
  const at::Tensor leaf_NC = embedded_NC.detach().set_requires_grad(true);
  const at::Tensor chosen_B1 = logits(leaf_NC, inputs).gather(1, labels_B1);
  chosen_B1.sum().backward();
  return {leaf_NC.grad(), chosen_B1.detach()};
}

Inputs Attributor::hidden(const Inputs& inputs, const at::Tensor& hidden_N) const {
  TextInputs text = text_of(inputs);
  text.tokens_N = text.tokens_N.masked_fill(hidden_N, blank_);
  return text;
}

std::vector<Attribution> Attributor::gradient(const Batch& batch, const BatchWords& words) {
  const Inputs inputs = learner_.inputs(batch);
  const Pass pass = begin(inputs);
  const at::Tensor slope_NC = slope(pass.embedded_NC, inputs, pass.labels_B1).first;
  return of_words(numbers_of((slope_NC.to(at::kDouble) * pass.embedded_NC.to(at::kDouble)).sum(1)),
                  text_of(inputs).host_offsets, words);
}

std::vector<Attribution> Attributor::integrated(const Batch& batch, const BatchWords& words) {
  const Inputs inputs = learner_.inputs(batch);
  const Pass pass = begin(inputs);
  std::vector<bool> in_words;
  for (const int32_t word : words.word_of) in_words.push_back(word >= 0);
  const Inputs blank = hidden(inputs, flags_of(in_words, learner_.device()));
  at::Tensor start_NC;
  {
    const at::NoGradGuard no_graph;
    start_NC = embed(blank);
  }
  const at::Tensor way_NC = pass.embedded_NC - start_NC;
  at::Tensor slopes_NC = at::zeros_like(way_NC, at::kDouble);
  for (const auto& [place, weight] : gauss_legendre(kPoints))
    slopes_NC += slope(start_NC + place * way_NC, inputs, pass.labels_B1).first.to(at::kDouble) * weight;
  const std::vector<double> of_tokens = numbers_of((slopes_NC * way_NC.to(at::kDouble)).sum(1));

  const Offsets& offsets = text_of(inputs).host_offsets;
  std::vector<Attribution> all = of_words(of_tokens, offsets, words);
  const at::NoGradGuard no_graph;
  const auto reached = numbers_of(logits(pass.embedded_NC, inputs).gather(1, pass.labels_B1)),
             started = numbers_of(logits(start_NC, inputs).gather(1, pass.labels_B1));
  for (size_t b = 0; b < all.size(); ++b) {
    all[b].convergence_delta = started[b] - reached[b];
    for (auto t = static_cast<size_t>(offsets[b]); t < static_cast<size_t>(offsets[b + 1]); ++t)
      all[b].convergence_delta += of_tokens[t];
  }
  return all;
}

// The j-th words of all samples are hidden in one pass.
std::vector<Attribution> Attributor::occlusion(const Batch& batch, const BatchWords& words) {
  const at::NoGradGuard no_graph;
  const Inputs inputs = learner_.inputs(batch);
  const Pass pass = begin(inputs);
  const auto probabilities = [&](const at::Tensor& embedded_NC) {
    return numbers_of(at::softmax(logits(embedded_NC, inputs).to(at::kDouble), 1).gather(1, pass.labels_B1));
  };
  const std::vector<double> whole = probabilities(pass.embedded_NC);
  std::vector<Attribution> all(whole.size());
  const size_t most = words.num_words.empty() ? 0 : *std::ranges::max_element(words.num_words);
  for (size_t word = 0; word < most; ++word) {
    std::vector<bool> here;
    for (const int32_t of : words.word_of) here.push_back(of == static_cast<int32_t>(word));
    const std::vector<double> left = probabilities(embed(hidden(inputs, flags_of(here, learner_.device()))));
    for (size_t b = 0; b < all.size(); ++b)
      if (word < words.num_words[b]) all[b].scores.push_back(whole[b] - left[b]);
  }
  return all;
}

}  // namespace sft
