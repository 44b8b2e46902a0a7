#include "trainer/models/inputs.h"

#include <ATen/ops/from_blob.h>

namespace sft {
namespace {

at::Tensor copied(const std::vector<int64_t>& values, const at::Device& device) {
  const at::Tensor view =
      at::from_blob(const_cast<int64_t*>(values.data()), {static_cast<int64_t>(values.size())}, at::kLong);
  return view.to(device, at::kLong, /*non_blocking=*/false, /*copy=*/true);
}

TextInputs text_inputs(const PackedText& text, const Batch& batch, const at::Device& device) {
  std::vector<int64_t> draws_N;
  draws_N.reserve(text.tokens.size());
  for (size_t b = 0; b + 1 < text.offsets.size(); ++b) {
    draws_N.insert(draws_N.end(), static_cast<size_t>(text.offsets[b + 1] - text.offsets[b]), batch.draws[b]);
  }
  TextInputs inputs;
  inputs.tokens_N = copied(text.tokens, device);
  inputs.positions_N = copied(text.positions, device);
  inputs.segments_N = copied(text.segments, device);
  inputs.draws_N = copied(draws_N, device);
  inputs.draws_B = copied(batch.draws, device);
  inputs.host_offsets = text.offsets;
  const at::Tensor offsets = copied(text.offsets, device);
  inputs.offsets = offsets.to(at::kInt);
  inputs.first_B = offsets.narrow(0, 0, inputs.num_sequences()).contiguous();
  return inputs;
}

ImageInputs image_inputs(const Images& images, const Batch& batch, const at::Device& device) {
  const at::Tensor view = at::from_blob(const_cast<uint8_t*>(images.pixels.data()),
                                        {batch.size(), images.height, images.width, images.channels}, at::kByte);
  return {.pixels_BHWC = view.to(device, at::kByte, /*non_blocking=*/false, /*copy=*/true),
          .draws_B = copied(batch.draws, device)};
}

}  // namespace

Inputs to_device(const Batch& batch, const at::Device& device) {
  if (const auto* text = std::get_if<PackedText>(&batch.input)) return text_inputs(*text, batch, device);
  return image_inputs(batch.images(), batch, device);
}

}  // namespace sft
