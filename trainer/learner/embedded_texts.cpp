#include "trainer/learner/embedded_texts.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

// Stage 0 alone is run without a graph, so that what it returns can be a leaf.
StageRule behind_embedding(const Model& model) {
  return {.trains = std::vector<bool>(static_cast<size_t>(model.num_stages()), false), .first_trained = 1};
}

}  // namespace

EmbeddedTexts::EmbeddedTexts(Learner& learner, const Batch& batch, BatchWords words, int32_t blank)
    : learner_(learner),
      task_(explained_task(learner)),
      stages_(learner.model(), behind_embedding(learner.model())),
      inputs_(learner.inputs(batch)),
      words_(std::move(words)),
      blank_(blank),
      embedded_NC_(embed(inputs_)) {}

at::Tensor EmbeddedTexts::embed(const Inputs& inputs) {
  const at::Tensor x_NC = stages_.frozen_activations(inputs, Mode::evaluation);
  const auto* text = std::get_if<TextInputs>(&inputs);
  if (text == nullptr || !x_NC.defined() || x_NC.dim() != 2 || x_NC.size(0) != text->host_offsets.back())
    throw ConfigError(concat("explanations: the embedding of this model (",
                             learner_.model().config().value("model_type", "?"),
                             ") has not one row a token of a text"));
  return x_NC;
}

at::Tensor EmbeddedTexts::logits(const at::Tensor& embedded_NC) {
  return task_.logits(learner_.model(), stages_.trained_part(embedded_NC, inputs_, Mode::evaluation), inputs_,
                      Mode::evaluation);
}

at::Tensor EmbeddedTexts::embed_without(const std::vector<bool>& hidden_N) {
  const at::NoGradGuard no_graph;
  const at::Tensor hidden =
      at::tensor(std::vector<int64_t>(hidden_N.begin(), hidden_N.end()), at::kLong).to(learner_.device()).gt(0);
  TextInputs text = text_of(inputs_);
  text.tokens_N = text.tokens_N.masked_fill(hidden, blank_);
  return embed(text);
}

at::Tensor EmbeddedTexts::blank() {
  std::vector<bool> in_words;
  for (const int32_t word : words_.word_of) in_words.push_back(word >= 0);
  return embed_without(in_words);
}

// As captum's LayerGradientXActivation: the embedded tokens themselves are the input.
at::Tensor EmbeddedTexts::origin() { return at::zeros({}, embedded_NC_.options()); }

at::Tensor EmbeddedTexts::without(size_t word) {
  std::vector<bool> here;
  for (const int32_t of : words_.word_of) here.push_back(of == static_cast<int32_t>(word));
  return embed_without(here);
}

std::vector<std::vector<double>> EmbeddedTexts::over_parts(const at::Tensor& of_elements_NC) const {
  const std::vector<double> of_tokens = numbers_of(of_elements_NC.sum(1));
  const Offsets& offsets = text_of(inputs_).host_offsets;
  std::vector<std::vector<double>> all;
  for (size_t b = 0; b < words_.num_words.size(); ++b) {
    std::vector<double>& scores = all.emplace_back(words_.num_words[b]);
    for (auto t = static_cast<size_t>(offsets[b]); t < static_cast<size_t>(offsets[b + 1]); ++t)
      if (words_.word_of[t] >= 0) scores[static_cast<size_t>(words_.word_of[t])] += of_tokens[t];
  }
  return all;
}

}  // namespace sft
