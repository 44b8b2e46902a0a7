// Llama's network and its relatives': RMS norms, rotary positions, grouped key heads, gated MLP. A family adds its
// config and the name of its classes.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/models/blocks/activation.h"
#include "trainer/models/blocks/embedding.h"
#include "trainer/models/blocks/linear.h"
#include "trainer/models/blocks/rms_norm.h"
#include "trainer/models/blocks/rotary.h"
#include "trainer/models/blocks/text_decoder.h"

namespace sft {

struct RotaryDecoderShape {
  int64_t vocab_size = 0, positions = 0, width = 0, blocks = 0;
  int64_t heads = 0, key_heads = 0, head_width = 0, inner = 0;  // head_width need not be width / heads
  int64_t padding_id = -1;                                      // the word whose row gets no gradient; −1: none
  int64_t window = 0;                                           // of earlier tokens that a token sees; 0: all
  Activation activation = Activation::silu;
  bool has_qkv_bias = false, has_output_bias = false, has_mlp_bias = false;
  bool has_head_norms = false;  // of each head's queries and keys, before they turn
  bool is_tied = false;
  double attention_dropout = 0.0;
  double norm_eps = 1e-6;
  double initializer_range = 0.02;
  double token_head_dropout = 0.1;
  RotaryRule rotary;
};

struct RotaryBlock {
  RmsNorm input_norm, output_norm;  // in front of attention, and of the MLP
  Linear query, key, value, attention_output;
  RmsNorm query_norm, key_norm;  // [head_width]
  Linear gate, up, down;
};

class RotaryDecoder final : public TextDecoder {
 public:
  // `architecture`: "Llama" of "LlamaForCausalLM".
  RotaryDecoder(nlohmann::json content, const RotaryDecoderShape& shape, const std::string& architecture,
                const ModelSettings& settings);

  at::Tensor output_embedding() const override { return shape_.is_tied ? tables_.word_VC : at::Tensor(); }
  double flops(int64_t tokens, int64_t read) const override;

 protected:
  at::Tensor embedding(const TextInputs& inputs, Mode mode) override;
  at::Tensor block(int stage, const at::Tensor& x_NC, const BlockRows& rows, Mode mode) override;
  bool is_base_name(const std::string& name) const override;
  bool is_leftover(const std::string& name) const override;

 private:
  at::Tensor attended(int stage, const at::Tensor& x_NC, const BlockRows& rows, Mode mode);

  RotaryDecoderShape shape_;
  EmbeddingTables tables_;
  std::vector<RotaryBlock> blocks_;
  RmsNorm final_norm_;
  RotaryTable angles_;
};

}  // namespace sft
