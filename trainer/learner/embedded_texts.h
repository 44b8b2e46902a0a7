// Packed texts as rows of embedded tokens, whose parts are words.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "data/samples/batch.h"
#include "trainer/learner/attribution.h"
#include "trainer/learner/learner.h"
#include "trainer/learner/stages.h"

namespace sft {

// Of a batch of N packed tokens.
struct BatchWords {
  std::vector<int32_t> word_of;   // [N] of its sample; −1: special tokens, which are never hidden nor scored
  std::vector<size_t> num_words;  // [B]
};

class EmbeddedTexts final : public Explainable {
 public:
  // Borrows `learner`. `blank`: the token that stands where words are hidden. ConfigError where the model's task does
  // not give one logit a label, and naming the model where its embedding has not one row a token.
  EmbeddedTexts(Learner& learner, const Batch& batch, BatchWords words, int32_t blank);

  at::Tensor x() override { return embedded_NC_; }
  at::Tensor logits(const at::Tensor& embedded_NC) override;
  at::Tensor labels(const at::Tensor& logits) const override { return task_.labels_given(logits); }
  at::Tensor blank() override;
  at::Tensor origin() override;
  std::vector<size_t> num_parts() const override { return words_.num_words; }
  at::Tensor without(size_t word) override;
  std::vector<std::vector<double>> over_parts(const at::Tensor& of_elements_NC) const override;

 private:
  at::Tensor embed(const Inputs& inputs);
  at::Tensor embed_without(const std::vector<bool>& hidden_N);

  Learner& learner_;
  LogitsTask& task_;
  Stages stages_;
  Inputs inputs_;
  BatchWords words_;
  int32_t blank_;
  at::Tensor embedded_NC_;
};

}  // namespace sft
