// T5's network: pre-norm blocks, RMS norms, a bias of relative positions that the blocks of a side share.
//
//   B samples, N packed rows of a side, C channels, H heads; M rows that are carried on in the last block
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/models/blocks/embedding.h"
#include "trainer/models/blocks/encoder_decoder.h"
#include "trainer/models/blocks/relative_buckets.h"
#include "trainer/models/blocks/rms_norm.h"
#include "trainer/models/t5/t5_config.h"

namespace sft {

struct T5Block {
  RmsNorm self_norm, cross_norm, mlp_norm;  // in front of each; an encoder's has no cross attention
  AttentionLayers self, cross;
  Linear gate, inner, output;  // gate: of gated MLPs
};

struct T5Side {
  std::vector<T5Block> blocks = {};
  at::Tensor bias_KH = {};  // of K buckets
  BucketTable buckets;
  RmsNorm final_norm = {};
};

class T5 final : public EncoderDecoder {
 public:
  T5(nlohmann::json content, const T5Config& config, const ModelSettings& settings);

  at::Tensor output_embedding() const override { return is_tied_ ? tables_.word_VC : at::Tensor(); }
  std::string canonical(const std::string& file_name) const override;

 protected:
  at::Tensor embedding(Side side, const TextInputs& inputs, Mode mode) override;
  at::Tensor encoder_block(int64_t block, const at::Tensor& x_NC, const BlockRows& rows, Mode mode) override;
  at::Tensor decoder_block(int64_t block, const at::Tensor& x_NC, const at::Tensor& source_NC, const PairRows& rows,
                           Mode mode) override;

 private:
  T5Side& side_of(Side side) { return side == Side::source ? encoder_ : decoder_; }

  void make_side(ParameterBuilder& build, Side side);
  void make_block(ParameterBuilder& build, Side side, int64_t block);
  void make_attention(ParameterBuilder& build, const std::string& name, int stage, AttentionLayers& layers);

  at::Tensor fallen(const at::Tensor& x_MC, const char* place, const BlockAtWork& here) const;
  Attention unscaled(const char* place, const BlockAtWork& here) const;
  Attention over_own(T5Side& side, const BlockAtWork& here) const;
  at::Tensor mlp(const T5Block& block, const at::Tensor& x_MC, const BlockAtWork& here) const;
  at::Tensor closed(Side side, int64_t block, const at::Tensor& x_MC, const at::Tensor& residual_MC,
                    const BlockAtWork& here);

  T5Config config_;
  bool is_tied_;
  EmbeddingTables tables_;
  T5Side encoder_, decoder_;
};

}  // namespace sft
