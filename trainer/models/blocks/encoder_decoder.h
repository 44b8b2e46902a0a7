// Models that read a source and write a target on packed rows: what T5, Marian and BART share. Their stages are those
// that model.h tells of; from the target's embedding on, the sources' rows go ahead of the targets' through all stages,
// and the last returns the targets' alone.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "data/samples/side.h"
#include "trainer/models/blocks/block_rows.h"
#include "trainer/models/blocks/pair_rows.h"
#include "trainer/models/blocks/text_network.h"

namespace sft {

// What each of them says of itself.
struct EncoderDecoderFacts {
  int64_t vocab_size = 0, target_vocab_size = 0, positions = TextLimits::kUnlimited;
  int64_t width = 0, attention_width = 0;  // C, and that of all heads together
  int64_t encoder_blocks = 0, decoder_blocks = 0;
  int64_t encoder_mlp = 0, decoder_mlp = 0;  // numbers in the matrices of a block's MLP
  int64_t start_id = 0;
  double initializer_range = 0.02;  // of an output layer of its own
  std::string prefix;               // "model."
  std::string language_model;       // "T5ForConditionalGeneration"
};

class EncoderDecoder : public TextNetwork {
 public:
  int num_blocks() const override { return first_of_targets() + static_cast<int>(facts_.decoder_blocks); }
  int num_cacheable_stages() const override { return first_of_targets(); }
  int64_t width() const override { return facts_.width; }
  std::optional<TextLimits> text_limits() const override {
    return TextLimits{.vocab_size = facts_.vocab_size, .max_positions = facts_.positions};
  }
  std::optional<PairFacts> pair() const override;
  at::Tensor stage(int s, const at::Tensor& x, const Inputs& inputs, Mode mode) override;

  HeadShape sequence_head() const override { return {}; }
  double initializer_range() const override { return facts_.initializer_range; }
  double flops(int64_t tokens, int64_t read) const override;
  std::string architecture(const std::string& class_ending) const override;
  std::string prefix() const override { return facts_.prefix; }

 protected:
  EncoderDecoder(nlohmann::json content, EncoderDecoderFacts facts, const ModelSettings& settings);

  // Roughly, for the question whether they can be held at all.
  double num_parameters() const;
  // The stage of a side's block 0, 1, …; of its embedding for −1.
  int stage_of(Side side, int64_t block) const;
  bool is_last(Side side, int64_t block) const;

  // Rows [N, C] of a side, in the parameters' type.
  virtual at::Tensor embedding(Side side, const TextInputs& inputs, Mode mode) = 0;
  // Block 0 … of the encoder on x [N_s, C]; behind the last what closes the encoder.
  virtual at::Tensor encoder_block(int64_t block, const at::Tensor& x_NC, const BlockRows& rows, Mode mode) = 0;
  // Block 0 … of the decoder on x [N_t, C] over what the encoder gave, [N_s, C]: [M, C] of the rows that are carried
  // on; behind the last what closes the decoder.
  virtual at::Tensor decoder_block(int64_t block, const at::Tensor& x_NC, const at::Tensor& source_NC,
                                   const PairRows& rows, Mode mode) = 0;

 private:
  int first_of_targets() const { return static_cast<int>(facts_.encoder_blocks) + 1; }

  EncoderDecoderFacts facts_;
};

}  // namespace sft
