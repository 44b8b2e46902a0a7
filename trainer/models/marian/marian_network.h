// Marian's network: post-norm blocks, sinusoidal positions, a bias of the logits that does not train.
//
//   B samples, N packed rows of a side, C channels, V words of the target; M rows that are carried on in the last block
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/models/blocks/add_norm.h"
#include "trainer/models/blocks/embedding.h"
#include "trainer/models/blocks/encoder_decoder.h"
#include "trainer/models/marian/marian_config.h"

namespace sft {

struct MarianBlock {
  AttentionLayers self, cross;  // an encoder's has no cross attention
  LayerNorm self_norm, cross_norm, mlp_norm;
  Linear inner, output;
};

class Marian final : public EncoderDecoder {
 public:
  Marian(nlohmann::json content, const MarianConfig& config, const ModelSettings& settings);

  Parameters buffers() const override;
  at::Tensor output_embedding() const override { return config_.is_tied ? target_.word_VC : at::Tensor(); }
  at::Tensor output_bias() const override { return output_bias_1V_[0]; }
  std::string canonical(const std::string& file_name) const override;

 protected:
  at::Tensor embedding(Side side, const TextInputs& inputs, Mode mode) override;
  at::Tensor encoder_block(int64_t block, const at::Tensor& x_NC, const BlockRows& rows, Mode mode) override;
  at::Tensor decoder_block(int64_t block, const at::Tensor& x_NC, const at::Tensor& source_NC, const PairRows& rows,
                           Mode mode) override;

 private:
  EmbeddingTables make_table(ParameterBuilder& build, const char* name, int64_t words, int stage) const;
  void make_block(ParameterBuilder& build, Side side, int64_t block);
  void make_attention(ParameterBuilder& build, const std::string& name, int stage, AttentionLayers& layers);

  Attention heads_of(const MarianSide& side, const char* place, const BlockAtWork& here) const;
  at::Tensor closed(const at::Tensor& x_MC, const Linear& layer, const at::Tensor& residual_MC, const LayerNorm& norm,
                    const char* place, const BlockAtWork& here) const;
  at::Tensor mlp(const MarianBlock& block, const at::Tensor& x_MC, const BlockAtWork& here) const;

  MarianConfig config_;
  EmbeddingTables source_, target_;  // the same table where both sides share it
  std::vector<MarianBlock> encoder_, decoder_;
  at::Tensor positions_PC_;
  at::Tensor output_bias_1V_;
};

}  // namespace sft
