// The parts of SegFormer. B pictures; a scale has maps of h × w places, N = B h w rows of C channels.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/models/blocks/batch_norm.h"
#include "trainer/models/blocks/text_network.h"
#include "trainer/models/segformer/segformer_config.h"

namespace sft {

// The size of a scale's maps.
struct MapSize {
  int64_t height = 0, width = 0;
  int64_t places() const { return height * width; }
};

// A convolution with a bias, as files have it.
struct Convolution {
  at::Tensor weight, bias;  // [out, in / groups, k, k], [out]
};

class Segformer final : public TextNetwork {
 public:
  Segformer(nlohmann::json content, SegformerConfig config, const ModelSettings& settings);

  // The encoder's blocks, and the decode head as the last one.
  int num_blocks() const override { return static_cast<int>(blocks_.size()) + 1; }
  int64_t width() const override { return config_.decoder_width; }
  Parameters parameters() const override;
  Parameters buffers() const override { return buffers_; }

  // Between stages [B, F]: the maps of the scales that are done, behind their norms, and those of the scale that is
  // worked on, each [h w, C] laid flat. The last stage gives [B, D, h, w].
  at::Tensor stage(int s, const at::Tensor& x, const Inputs& inputs, Mode mode) override;
  bool has_batch_norms() const override { return true; }
  // The decode head alone has a norm of batches.
  bool moves_where_frozen(int stage) const override {
    return stage == num_blocks() && !rule_.still_where_frozen && rule_.mode != BatchNormMode::frozen;
  }
  int64_t least_side() const override;
  ImageProcessor image_processor() const override { return {"SegformerImageProcessor", /*takes_masks=*/true}; }
  std::vector<std::string> stage_names() const override;

  HeadShape sequence_head() const override {
    return {.dropout = config_.classifier_dropout, .output = "decode_head.classifier"};
  }
  double initializer_range() const override { return config_.initializer_range; }
  double flops(int64_t images, int64_t read) const override;
  std::string architecture(const std::string& class_ending) const override;
  std::string prefix() const override { return "segformer."; }
  std::string canonical(const std::string& file_name) const override;
  std::string new_part() const override { return "decode_head."; }

 private:
  struct Block {
    size_t scale = 0;
    bool is_first = false, is_last = false;  // of its scale
    double drop_path = 0;
    LayerNorm input_norm, reduced_norm, output_norm;
    Convolution reduction;  // of the keys and values; undefined where they are of every place
    Linear query, key, value, attention_output, inner, output;
    Convolution mixing;  // of the MLP: 3 × 3, each channel by itself
  };
  struct Patches {
    Convolution convolution;
    LayerNorm norm;
  };

  void make_patches(ParameterBuilder& build, size_t scale, int stage);
  void make_block(ParameterBuilder& build, Block& block, const std::string& name, int stage);
  void make_head();

  MapSize size_at(size_t scale, const ImageInputs& images) const;
  at::Tensor patches(size_t scale, const at::Tensor& x_BCHW) const;  // [B, C, h, w] → rows [N, C] of the scale
  at::Tensor block(int stage, const at::Tensor& x_NC, const ImageInputs& images, Mode mode) const;
  // `rows`: the pictures' places at the block's scale.
  at::Tensor attention(int stage, const at::Tensor& x_NC, const ImageInputs& images, const TextInputs& rows,
                       Mode mode) const;
  at::Tensor mixed(int stage, const at::Tensor& x_NC, const ImageInputs& images, const TextInputs& rows,
                   Mode mode) const;
  // residual + what a half of a block gives, behind dropout and drop path.
  at::Tensor added(int stage, const char* place, const at::Tensor& x_NC, const at::Tensor& residual_NC,
                   const TextInputs& rows, Mode mode) const;
  at::Tensor decoded(const at::Tensor& maps_BF, const ImageInputs& images, Mode mode) const;

  SegformerConfig config_;
  ScaledPixels pixels_;
  std::vector<Patches> patches_;  // of each scale
  std::vector<Block> blocks_;
  std::vector<LayerNorm> norms_;     // behind each scale
  std::vector<Linear> projections_;  // of the head, C → D of each scale
  at::Tensor fuse_;                  // [D, scales · D, 1, 1], the coarsest scale first
  BatchNorm norm_;
  Parameters norm_parameters_, buffers_;
  BatchNormRule rule_;
  MapSize seen_;  // of the last pictures: what a pass costs depends on it
};

}  // namespace sft
