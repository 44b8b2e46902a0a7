// The network. B pictures, N = B T packed rows, C channels; in the last block the M rows that are read ask and are
// carried on, while keys and values still come from all N.
#include "trainer/models/blocks/patch_encoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>

#include <string>
#include <vector>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/blocks/drop_path.h"
#include "trainer/models/blocks/dropout.h"
#include "trainer/models/blocks/gated_mlp.h"
#include "trainer/models/blocks/layer_norm.h"

namespace sft {

at::Tensor PatchEncoder::stage(int s, const at::Tensor& x_BTC, const Inputs& inputs, Mode mode) {
  const PatchGrid grid = grid_of(images_of(inputs));
  const RowRange read = rows_read(grid);
  const TextInputs packed = patch_rows(images_of(inputs), shape_.rows(grid), read);
  const int64_t pictures = packed.num_sequences();
  seen_ = grid;
  if (s == 0) return embedding(images_of(inputs), packed, mode);
  const bool reads_few = s == num_blocks() && reads_ != Reads::all;
  const BlockRows rows{.inputs = packed, .read = reads_few ? &*packed.read : nullptr};
  const at::Tensor y_MC = block(s, x_BTC.flatten(0, 1), rows, mode);
  if (reads_few) return reads_ == Reads::first ? y_MC : y_MC.view({pictures, read.count, shape_.width});
  const at::Tensor y_BTC = y_MC.view({pictures, shape_.rows(grid), shape_.width});
  if (s == num_blocks() || !mid_positions_.defined()) return y_BTC;
  return y_BTC + positions_on(mid_positions_.select(0, s - 1), shape_.grid(), grid).to(y_BTC.scalar_type());
}

PatchGrid PatchEncoder::grid_of(const ImageInputs& images) const {
  const int64_t height = images.pixels_BHWC.size(1), width = images.pixels_BHWC.size(2), patch = shape_.patch_size;
  if (height % patch != 0 || width % patch != 0)
    throw ConfigError(concat("the images are ", height, " × ", width, ", and the model cuts them into patches of ",
                             patch, " × ", patch, " pixels; set data.image_size to a multiple of ", patch, ", as ",
                             (height / patch + 1) * patch, " is"));
  return {height / patch, width / patch};
}

RowRange PatchEncoder::rows_read(const PatchGrid& grid) const {
  if (reads_ == Reads::all) return {.first = 0, .count = shape_.rows(grid)};
  if (reads_ == Reads::last) return {.first = 1 + grid.patches(), .count = shape_.detection_tokens};
  return {};
}

// Every patch is one row of a product: what a convolution of stride `patch` does.
at::Tensor PatchEncoder::embedding(const ImageInputs& images, const TextInputs& rows, Mode mode) const {
  const at::Tensor x_BCHW = pixels_.of(images.pixels_BHWC);
  const PatchGrid grid = grid_of(images);
  const int64_t patch = shape_.patch_size, pictures = x_BCHW.size(0);
  const auto type = x_BCHW.scalar_type();
  const at::Tensor cut = x_BCHW.reshape({pictures, shape_.pixels.channels(), grid.height, patch, grid.width, patch})
                             .permute({0, 2, 4, 1, 3, 5})
                             .reshape({pictures, grid.patches(), -1});
  std::vector<at::Tensor> parts{class_token_.to(type).expand({pictures, 1, shape_.width}),
                                at::linear(cut, patches_.weight.flatten(1).to(type), patches_.bias)};
  if (detection_tokens_.defined())
    parts.push_back(detection_tokens_.to(type).expand({pictures, shape_.detection_tokens, shape_.width}));
  const at::Tensor sum_NC = (at::cat(parts, 1) + positions_on(positions_, shape_.grid(), grid).to(type)).flatten(0, 1);
  const Dropout fall = dropout(mode, 0, "embeddings", shape_.hidden_dropout);
  return keyed_dropout(sum_NC, fall.key, rows.draws_N, rows.positions_N, fall.p)
      .to(flow_type())
      .view({pictures, shape_.rows(grid), shape_.width});
}

at::Tensor PatchEncoder::block(int stage, const at::Tensor& x_NC, const BlockRows& rows, Mode mode) const {
  const Block& block = blocks_[static_cast<size_t>(stage - 1)];
  const RowKeys keys_M = row_keys(mode, rows.draws_M(), rows.positions_M());
  const at::Tensor normed_NC = layer_normed(x_NC, block.input_norm);
  const auto [q_MC, k_NC, v_NC] =
      rows.projected(normed_NC, rows.of(normed_NC), block.query, block.key, block.value, mode);
  const at::Tensor read_MC = rows.attended(stage, q_MC, k_NC, v_NC,
                                           {.heads = shape_.heads,
                                            .key_heads = shape_.heads,
                                            .dropout = dropout(mode, stage, "attention", shape_.attention_dropout)});
  const at::Tensor middle_MC = added(stage, "attention.output", linear(read_MC, block.attention_output, keys_M),
                                     block.attention_scale, rows.of(x_NC), rows, mode);

  const at::Tensor normed_MC = layer_normed(middle_MC, block.output_norm);
  at::Tensor hidden_MI;
  if (shape_.is_gated) {
    const std::vector<at::Tensor> halves = linear(normed_MC, block.inner, keys_M).chunk(2, 1);
    hidden_MI = gated(Activation::silu, halves[0], halves[1]);
  } else {
    hidden_MI = activate(shape_.activation, linear(normed_MC, block.inner.without_bias(), keys_M), block.inner.bias);
  }
  const at::Tensor y_MC =
      added(stage, "output", linear(hidden_MI, block.output, keys_M), block.output_scale, middle_MC, rows, mode);
  return stage == num_blocks() ? layer_normed(y_MC, final_norm_) : y_MC;
}

at::Tensor PatchEncoder::added(int stage, const char* place, const at::Tensor& x_MC, const at::Tensor& scale,
                               const at::Tensor& residual_MC, const BlockRows& rows, Mode mode) const {
  const Dropout fall = dropout(mode, stage, place, shape_.hidden_dropout);
  at::Tensor kept_MC = keyed_dropout(x_MC, fall.key, rows.draws_M(), rows.positions_M(), fall.p);
  if (scale.defined()) kept_MC = kept_MC * scale.to(kept_MC.scalar_type());
  const Dropout path = dropout(mode, stage, (std::string(place) + ".path").c_str(), shape_.drop_path);
  return drop_path(kept_MC, path, rows.inputs.draws_B) + residual_MC;
}

// A patch is a product with [C, channels · patch²].
double PatchEncoder::flops(int64_t images, int64_t) const {
  const double channels = static_cast<double>(shape_.width), inner = static_cast<double>(shape_.inner);
  const double keys_and_values = 4 * channels * channels;
  const double rest = 4 * channels * channels + (shape_.is_gated ? 6 : 4) * channels * inner;
  const auto rows = static_cast<double>(shape_.rows(seen_)), read = static_cast<double>(rows_read(seen_).count);
  const double patches =
      2 * static_cast<double>(shape_.pixels.channels() * seen_.patches() * shape_.patch_size * shape_.patch_size) *
      channels;
  return static_cast<double>(images) * (patches + static_cast<double>(num_blocks()) * rows * keys_and_values +
                                        (static_cast<double>(num_blocks() - 1) * rows + read) * rest);
}

}  // namespace sft
