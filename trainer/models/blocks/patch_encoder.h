// Encoders of pictures with pre-norm blocks (Dosovitskiy et al., 2020): what ViT, DINOv2 and YOLOS share. A picture is
// cut into square patches, a class token stands in front of them, and D detection tokens may stand behind them. A
// family adds its config and its names.
//
//   B pictures of T = 1 + height / patch · width / patch + D rows, C channels, I inner ones
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "trainer/models/blocks/block_rows.h"
#include "trainer/models/blocks/patch_positions.h"
#include "trainer/models/blocks/patch_rows.h"
#include "trainer/models/blocks/pixels.h"
#include "trainer/models/blocks/text_network.h"

namespace sft {

struct PatchShape {
  int64_t image_height = 224, image_width = 224;  // of the pictures that the table of positions is of
  int64_t patch_size = 16, width = 768, blocks = 12, heads = 12;
  int64_t detection_tokens = 0;    // D
  bool has_mid_positions = false;  // positions are added behind every block but the last, too
  int64_t inner = 3072;            // I
  bool is_gated = false;           // the inner layer gives 2 I: SiLU of the first half times the second (SwiGLU)
  Activation activation = Activation::gelu;
  double hidden_dropout = 0, attention_dropout = 0;
  double drop_path = 0;                    // the share of pictures for which a half of a block is left out
  std::optional<double> layer_scale = {};  // where each channel's factor of what a half adds starts; nothing: none
  double norm_eps = 1e-12, initializer_range = 0.02;
  bool query_key_value_bias = true;
  PixelScale pixels;

  PatchGrid grid() const { return {image_height / patch_size, image_width / patch_size}; }
  int64_t patches() const { return grid().patches(); }
  int64_t rows(const PatchGrid& grid) const { return 1 + grid.patches() + detection_tokens; }  // T
  int64_t rows() const { return rows(grid()); }
};

// Names in files, behind the prefix; of a block's layers behind "encoder.layer.0.".
struct PatchNames {
  std::string prefix;        // "vit."
  std::string architecture;  // "ViT": of "ViTForImageClassification"
  std::string input_norm, output_norm;
  std::string inner, output;  // of the MLP
};

class PatchEncoder : public TextNetwork {
 public:
  const PatchShape& shape() const { return shape_; }
  const PatchNames& names() const { return names_; }

  int num_blocks() const override { return static_cast<int>(shape_.blocks); }
  Needs needs() const override;
  Parameters buffers() const override { return kept_; }

  // [B, T, C] before the last block; behind it the final norm of the rows that the head reads: [B, C] of the class
  // token, [B, D, C] of the detection tokens. Pictures may be of another size than the table of positions, which is
  // then brought to theirs in every pass.
  at::Tensor stage(int s, const at::Tensor& x, const Inputs& inputs, Mode mode) override;

  HeadShape sequence_head() const override { return {}; }
  double initializer_range() const override { return shape_.initializer_range; }
  bool blocks_share_parameters() const override { return mid_positions_.defined(); }
  double flops(int64_t images, int64_t read) const override;  // of pictures of the size that was seen last
  std::string architecture(const std::string& class_ending) const override;
  std::string prefix() const override { return names_.prefix; }
  std::string canonical(const std::string& file_name) const override;

 protected:
  // `reads`: what the head looks at: the class token's row (first), those of the detection tokens (last), or all.
  PatchEncoder(nlohmann::json content, const PatchShape& shape, const PatchNames& names, Reads reads,
               const ModelSettings& settings);

  // Adds a tensor [1, C] of zeros that files have and nobody trains.
  void keep_in_files(const std::string& name);

 private:
  struct Block {
    LayerNorm input_norm, output_norm;  // in front of attention, and of the MLP
    Linear query, key, value, attention_output, inner, output;
    at::Tensor attention_scale, output_scale;  // [C], where there is layer scale
  };

  void make_block(ParameterBuilder& build, int64_t i);
  // ConfigError where the patches do not fill the pictures.
  PatchGrid grid_of(const ImageInputs& images) const;
  RowRange rows_read(const PatchGrid& grid) const;
  at::Tensor embedding(const ImageInputs& images, const TextInputs& rows, Mode mode) const;
  at::Tensor block(int stage, const at::Tensor& x_NC, const BlockRows& rows, Mode mode) const;
  // residual + what a half of a block gives, behind dropout, layer scale and drop path.
  at::Tensor added(int stage, const char* place, const at::Tensor& x_MC, const at::Tensor& scale,
                   const at::Tensor& residual_MC, const BlockRows& rows, Mode mode) const;

  PatchShape shape_;
  PatchNames names_;
  Reads reads_;
  ScaledPixels pixels_;
  at::Tensor class_token_, detection_tokens_, positions_;  // [1, 1, C], [1, D, C], [1, T, C]
  at::Tensor mid_positions_;                               // [blocks − 1, 1, T, C], where there are some
  Linear patches_;                                         // weight [C, channels, patch, patch]
  std::vector<Block> blocks_;
  LayerNorm final_norm_;
  Parameters kept_;
  PatchGrid seen_;  // of the last pictures: what a pass costs depends on it
};

}  // namespace sft
