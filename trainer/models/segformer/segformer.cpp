// The network. B pictures, N = B h w rows of C channels at a scale, I inner channels, D channels of the decode head.
#include "trainer/models/segformer/segformer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mv.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include <algorithm>
#include <utility>

#include "trainer/models/blocks/attention.h"
#include "trainer/models/blocks/convolution.h"
#include "trainer/models/blocks/drop_path.h"
#include "trainer/models/blocks/dropout.h"
#include "trainer/models/blocks/layer_norm.h"
#include "trainer/models/blocks/patch_rows.h"
#include "trainer/models/segformer/network.h"

namespace sft {
namespace {

// Rows [B h w, C] as maps [B, C, h, w], and back.
at::Tensor maps_of(const at::Tensor& x_NC, const MapSize& size) {
  return x_NC.view({x_NC.size(0) / size.places(), size.height, size.width, x_NC.size(1)}).permute({0, 3, 1, 2});
}
// A picture's rows, one behind the other.
at::Tensor flat(const at::Tensor& x_NC, const MapSize& size) {
  return x_NC.view({x_NC.size(0) / size.places(), size.places() * x_NC.size(1)});
}
at::Tensor rows_of(const at::Tensor& x_BCHW) { return x_BCHW.permute({0, 2, 3, 1}).flatten(0, 2).contiguous(); }

int64_t outputs(int64_t size, int64_t kernel, int64_t stride) {
  return (size + 2 * (kernel / 2) - kernel) / stride + 1;
}

RowKeys keys_of(const TextInputs& rows, Mode mode) { return row_keys(mode, rows.draws_N, rows.positions_N); }

}  // namespace

MapSize Segformer::size_at(size_t scale, const ImageInputs& images) const {
  MapSize size{images.pixels_BHWC.size(1), images.pixels_BHWC.size(2)};
  for (size_t s = 0; s <= scale; ++s) {
    size.height = outputs(size.height, config_.scales[s].patch_size, config_.scales[s].stride);
    size.width = outputs(size.width, config_.scales[s].patch_size, config_.scales[s].stride);
  }
  return size;
}

at::Tensor Segformer::stage(int s, const at::Tensor& x_BF, const Inputs& inputs, Mode mode) {
  const ImageInputs& images = images_of(inputs);
  if (s == 0) {
    seen_ = {images.pixels_BHWC.size(1), images.pixels_BHWC.size(2)};
    require_side(*this, seen_.height, seen_.width);
    return flat(patches(0, pixels_.of(images.pixels_BHWC)), size_at(0, images));
  }
  if (s == num_blocks()) return decoded(x_BF, images, mode);
  const Block& block = blocks_[static_cast<size_t>(s - 1)];
  const bool goes_down = block.is_first && block.scale > 0;
  const size_t scale_of_x = goes_down ? block.scale - 1 : block.scale;
  const int64_t channels = config_.scales[scale_of_x].width;
  const MapSize size = size_at(scale_of_x, images);
  const int64_t now = size.places() * channels;
  at::Tensor done_BF, x_NC;
  if (goes_down) {  // what the scale above gave stays, and is what this one is made of
    done_BF = x_BF;
    x_NC = patches(
        block.scale,
        maps_of(x_BF.narrow(1, x_BF.size(1) - now, now).reshape({x_BF.size(0) * size.places(), channels}), size));
  } else {
    const std::vector<at::Tensor> parts = x_BF.split_with_sizes({x_BF.size(1) - now, now}, 1);
    done_BF = parts[0];
    x_NC = parts[1].reshape({x_BF.size(0) * size.places(), channels});
  }
  at::Tensor y_NC = this->block(s, x_NC, images, mode);
  if (block.is_last) y_NC = layer_normed(y_NC, norms_[block.scale]);
  return at::cat({done_BF, flat(y_NC, size_at(block.scale, images))}, 1);
}

at::Tensor Segformer::patches(size_t scale, const at::Tensor& x_BCHW) const {
  const Patches& patches = patches_[scale];
  const int64_t stride = config_.scales[scale].stride, margin = config_.scales[scale].patch_size / 2;
  return layer_normed(rows_of(at::conv2d(x_BCHW, patches.convolution.weight.to(x_BCHW.scalar_type()),
                                         patches.convolution.bias, {stride, stride}, {margin, margin})),
                      patches.norm);
}

at::Tensor Segformer::block(int stage, const at::Tensor& x_NC, const ImageInputs& images, Mode mode) const {
  const Block& block = blocks_[static_cast<size_t>(stage - 1)];
  const TextInputs rows = patch_rows(images, size_at(block.scale, images).places());
  const at::Tensor middle_NC =
      added(stage, "attention.output", attention(stage, layer_normed(x_NC, block.input_norm), images, rows, mode), x_NC,
            rows, mode);
  return added(stage, "output", mixed(stage, layer_normed(middle_NC, block.output_norm), images, rows, mode), middle_NC,
               rows, mode);
}

// Every place asks the M places of the reduced map.
at::Tensor Segformer::attention(int stage, const at::Tensor& x_NC, const ImageInputs& images, const TextInputs& rows,
                                Mode mode) const {
  const Block& block = blocks_[static_cast<size_t>(stage - 1)];
  const SegformerScale& scale = config_.scales[block.scale];
  const MapSize size = size_at(block.scale, images);
  const int64_t pictures = images.draws_B.size(0), step = scale.reduction;
  Attention how{.heads = scale.heads,
                .key_heads = scale.heads,
                .queries = &rows.host_offsets,
                .keys = &rows.host_offsets,
                .draws_B = images.draws_B,
                .dropout = dropout(mode, stage, "attention", config_.attention_dropout),
                .groups = &rows.groups};
  at::Tensor read_NC;
  if (step == 1) {
    const auto qkv = linear(x_NC, {block.query, block.key, block.value}, keys_of(rows, mode));
    read_NC = attend(qkv[0], qkv[1], qkv[2], how);
  } else {
    const at::Tensor reduced_BCHW = at::conv2d(maps_of(x_NC, size), block.reduction.weight.to(x_NC.scalar_type()),
                                               block.reduction.bias, {step, step});
    const TextInputs few = patch_rows(images, reduced_BCHW.size(2) * reduced_BCHW.size(3));
    const SequenceGroups across = equal_groups(pictures, few.most_positions, rows.most_positions, images.draws_B);
    how.keys = &few.host_offsets;
    how.groups = &across;
    const auto kv =
        linear(layer_normed(rows_of(reduced_BCHW), block.reduced_norm), {block.key, block.value}, keys_of(few, mode));
    read_NC = attend(linear(x_NC, block.query, keys_of(rows, mode)), kv[0], kv[1], how);
  }
  return linear(read_NC, block.attention_output, keys_of(rows, mode));
}

at::Tensor Segformer::mixed(int stage, const at::Tensor& x_NC, const ImageInputs& images, const TextInputs& rows,
                            Mode mode) const {
  const Block& block = blocks_[static_cast<size_t>(stage - 1)];
  const MapSize size = size_at(block.scale, images);
  const at::Tensor inner_BIHW = maps_of(linear(x_NC, block.inner, keys_of(rows, mode)), size);
  const at::Tensor mixed_NI =
      rows_of(at::conv2d(inner_BIHW, block.mixing.weight.to(inner_BIHW.scalar_type()), block.mixing.bias, /*stride=*/1,
                         /*padding=*/1, /*dilation=*/1, /*groups=*/inner_BIHW.size(1)));
  const Dropout fall = dropout(mode, stage, "intermediate", config_.hidden_dropout);
  const at::Tensor hidden_NI =
      keyed_dropout(activate(config_.activation, mixed_NI), fall.key, rows.draws_N, rows.positions_N, fall.p);
  return linear(hidden_NI, block.output, keys_of(rows, mode));
}

at::Tensor Segformer::added(int stage, const char* place, const at::Tensor& x_NC, const at::Tensor& residual_NC,
                            const TextInputs& rows, Mode mode) const {
  const Dropout fall = dropout(mode, stage, place, config_.hidden_dropout);
  const at::Tensor kept_NC = keyed_dropout(x_NC, fall.key, rows.draws_N, rows.positions_N, fall.p);
  const Dropout path =
      dropout(mode, stage, (std::string(place) + ".path").c_str(), blocks_[static_cast<size_t>(stage - 1)].drop_path);
  return drop_path(kept_NC, path, rows.draws_B) + residual_NC;
}

// The head brings every scale to D channels and to the finest size, lays them side by side and fuses them by a product
// with [D, scales · D]. A product of each place by itself may come before the bilinear sizing, and two of them are one:
// what a scale adds is its maps times (its columns of the fuse × its projection), at its own size.
at::Tensor Segformer::decoded(const at::Tensor& maps_BF, const ImageInputs& images, Mode mode) const {
  const int64_t D = config_.decoder_width;
  const MapSize finest = size_at(0, images);
  at::Tensor sum_BDHW;
  int64_t at = 0;
  for (size_t s = 0; s < config_.scales.size(); ++s) {
    const MapSize size = size_at(s, images);
    const int64_t channels = config_.scales[s].width, numbers = size.places() * channels;
    const at::Tensor x_NC = maps_BF.narrow(1, at, numbers).reshape({maps_BF.size(0) * size.places(), channels});
    at += numbers;
    const auto place = static_cast<int64_t>(config_.scales.size() - 1 - s);
    const at::Tensor fuse_DD =
        fuse_.flatten(1).narrow(1, place * D, D).to(x_NC.scalar_type());  // the file's type may be narrower
    const at::Tensor y_ND = at::linear(x_NC, at::matmul(fuse_DD, projections_[s].weight.to(x_NC.scalar_type())),
                                       at::mv(fuse_DD, projections_[s].bias));
    at::Tensor y_BDHW = maps_of(y_ND, size);
    if (s > 0) y_BDHW = at::upsample_bilinear2d(y_BDHW, {finest.height, finest.width}, /*align_corners=*/false);
    sum_BDHW = s == 0 ? y_BDHW : sum_BDHW + y_BDHW;
  }
  return batch_norm_by_rule(sum_BDHW.contiguous(), norm_, rule_, mode == Mode::training).relu();
}

std::unique_ptr<Model> make_segformer(nlohmann::json content, const ModelSettings& settings) {
  SegformerConfig config = read_segformer_config(content);
  return std::make_unique<Segformer>(std::move(content), std::move(config), settings);
}

}  // namespace sft
