// The network. B pictures, N = B T packed rows, C channels; in the last block the M rows that are read ask and are
// carried on, while keys and values still come from all N.
#include "trainer/models/blocks/patch_encoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>

#include <string>

#include "base/text.h"
#include "trainer/models/blocks/drop_path.h"
#include "trainer/models/blocks/dropout.h"
#include "trainer/models/blocks/gated_mlp.h"
#include "trainer/models/blocks/layer_norm.h"
#include "trainer/models/blocks/patch_rows.h"

namespace sft {

at::Tensor PatchEncoder::stage(int s, const at::Tensor& x_BTC, const Inputs& inputs, Mode mode) {
  const TextInputs packed = patch_rows(images_of(inputs), shape_.rows());
  const int64_t pictures = packed.num_sequences();
  if (s == 0) return embedding(images_of(inputs), packed, mode);
  const bool reads_few = s == num_blocks() && reads_ == Reads::first;
  const BlockRows rows{.inputs = packed, .read = reads_few ? &*packed.read : nullptr};
  const at::Tensor y_MC = block(s, x_BTC.flatten(0, 1), rows, mode);
  return reads_few ? y_MC : y_MC.view({pictures, shape_.rows(), shape_.width});
}

// Every patch is one row of a product: what a convolution of stride `patch` does.
at::Tensor PatchEncoder::embedding(const ImageInputs& images, const TextInputs& rows, Mode mode) const {
  const at::Tensor x_BCHW = pixels_.of(images.pixels_BHWC);
  const int64_t patch = shape_.patch_size, side = shape_.image_size / patch, pictures = x_BCHW.size(0);
  const auto type = x_BCHW.scalar_type();
  const at::Tensor cut = x_BCHW.reshape({pictures, shape_.pixels.channels(), side, patch, side, patch})
                             .permute({0, 2, 4, 1, 3, 5})
                             .reshape({pictures, shape_.patches(), -1});
  const at::Tensor patches_BPC = at::linear(cut, patches_.weight.flatten(1).to(type), patches_.bias);
  const at::Tensor class_B1C = class_token_.to(type).expand({pictures, 1, shape_.width});
  const at::Tensor sum_NC = (at::cat({class_B1C, patches_BPC}, 1) + positions_.to(type)).flatten(0, 1);
  const Dropout fall = dropout(mode, 0, "embeddings", shape_.hidden_dropout);
  return keyed_dropout(sum_NC, fall.key, rows.draws_N, rows.positions_N, fall.p)
      .to(flow_type())
      .view({pictures, shape_.rows(), shape_.width});
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
  const auto rows = static_cast<double>(shape_.rows()), read = reads_ == Reads::first ? 1.0 : rows;
  const double patches =
      2 * static_cast<double>(shape_.pixels.channels() * shape_.patches() * shape_.patch_size * shape_.patch_size) *
      channels;
  return static_cast<double>(images) * (patches + static_cast<double>(num_blocks()) * rows * keys_and_values +
                                        (static_cast<double>(num_blocks() - 1) * rows + read) * rest);
}

}  // namespace sft
