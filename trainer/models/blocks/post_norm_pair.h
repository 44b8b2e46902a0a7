// The network of translators with post-norm blocks: what Marian and BART share. Names of parameters are transformers'.
// A family adds its positions, and the order in which its parameters are made. A bias of the logits is saved and never
// trained.
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
#include "trainer/models/blocks/post_norm_config.h"

namespace sft {

struct PostNormBlock {
  AttentionLayers self, cross;  // an encoder's has no cross attention
  LayerNorm self_norm, cross_norm, mlp_norm;
  Linear inner, output;
};

class PostNormPair : public EncoderDecoder {
 public:
  Parameters buffers() const override;
  at::Tensor output_embedding() const override { return config_.is_tied ? target_.word_VC : at::Tensor(); }
  at::Tensor output_bias() const override { return output_bias_1V_[0]; }
  std::string canonical(const std::string& file_name) const override;

 protected:
  static constexpr double kNormEps = 1e-5;

  // `language_model`: transformers' class, "MarianMTModel". Makes no parameters yet.
  PostNormPair(nlohmann::json content, const PostNormConfig& config, const char* language_model,
               const ModelSettings& settings);

  const PostNormConfig& shape() const { return config_; }
  ParameterBuilder builder() { return TextNetwork::builder(prefix(), config_.initializer_range); }
  static const char* name_of(Side side) { return side == Side::source ? "encoder." : "decoder."; }
  // The table of words, the source's first: the target's is the same where both sides share one.
  void make_words(ParameterBuilder& build, Side side);
  void make_blocks(ParameterBuilder& build, Side side);

  // Of words [N, C], times √C where the config says so: with their positions, in front of dropout.
  virtual at::Tensor placed(Side side, const at::Tensor& words_NC, const TextInputs& inputs) const = 0;

  at::Tensor embedding(Side side, const TextInputs& inputs, Mode mode) override;
  at::Tensor encoder_block(int64_t block, const at::Tensor& x_NC, const BlockRows& rows, Mode mode) override;
  at::Tensor decoder_block(int64_t block, const at::Tensor& x_NC, const at::Tensor& source_NC, const PairRows& rows,
                           Mode mode) override;

 private:
  void make_block(ParameterBuilder& build, Side side, int64_t block);
  void make_attention(ParameterBuilder& build, const std::string& name, int stage, AttentionLayers& layers);

  Attention heads_of(const PostNormSide& side, const char* place, const BlockAtWork& here) const;
  at::Tensor closed(const at::Tensor& x_MC, const Linear& layer, const at::Tensor& residual_MC, const LayerNorm& norm,
                    const char* place, const BlockAtWork& here) const;
  at::Tensor mlp(const PostNormBlock& block, const at::Tensor& x_MC, const BlockAtWork& here) const;

  PostNormConfig config_;
  EmbeddingTables source_, target_;
  std::vector<PostNormBlock> encoder_, decoder_;
  at::Tensor output_bias_1V_;
};

}  // namespace sft
