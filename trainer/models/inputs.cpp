#include "trainer/models/inputs.h"

#include <ATen/ops/from_blob.h>

#include <utility>

namespace sft {
namespace {

// Values that go to a device in one copy, and are then looked at by piece.
class Journey {
 public:
  // Returns where in the result they will be.
  std::pair<int64_t, int64_t> add(const std::vector<int64_t>& values) {
    const auto at = static_cast<int64_t>(values_.size());
    values_.insert(values_.end(), values.begin(), values.end());
    return {at, static_cast<int64_t>(values.size())};
  }
  at::Tensor to(const at::Device& device) {
    const at::Tensor view = at::from_blob(values_.data(), {static_cast<int64_t>(values_.size())}, at::kLong);
    // What is copied from memory that may be swapped out has been read when the call returns.
    return view.to(device, at::kLong, /*non_blocking=*/true, /*copy=*/true);
  }

 private:
  std::vector<int64_t> values_;
};

TextInputs text_inputs(const PackedText& text, const Batch& batch, const at::Device& device) {
  std::vector<int64_t> draws_N;
  draws_N.reserve(text.tokens.size());
  for (size_t b = 0; b + 1 < text.offsets.size(); ++b) {
    draws_N.insert(draws_N.end(), static_cast<size_t>(text.offsets[b + 1] - text.offsets[b]), batch.draws[b]);
  }
  TextInputs inputs;
  inputs.host_offsets = text.offsets;
  std::vector<int64_t> order;
  if (!device.is_cpu()) inputs.groups.groups = group_sequences(text.offsets, text.offsets, order);

  Journey journey;
  const auto tokens = journey.add(text.tokens), positions = journey.add(text.positions),
             segments = journey.add(text.segments), draws = journey.add(draws_N), draws_B = journey.add(batch.draws),
             offsets = journey.add(text.offsets), by_length = journey.add(order);
  const at::Tensor all = journey.to(device);
  const auto piece = [&](std::pair<int64_t, int64_t> place) { return all.narrow(0, place.first, place.second); };
  inputs.tokens_N = piece(tokens);
  inputs.positions_N = piece(positions);
  inputs.segments_N = piece(segments);
  inputs.draws_N = piece(draws);
  inputs.draws_B = piece(draws_B);
  inputs.first_B = piece(offsets).narrow(0, 0, inputs.num_sequences());
  if (!device.is_cpu()) {
    inputs.groups.queries = inputs.groups.keys = piece(offsets).to(at::kInt);
    inputs.groups.order_B = piece(by_length).to(at::kInt);
  }
  return inputs;
}

ImageInputs image_inputs(const Images& images, const Batch& batch, const at::Device& device) {
  const at::Tensor view = at::from_blob(const_cast<uint8_t*>(images.pixels.data()),
                                        {batch.size(), images.height, images.width, images.channels}, at::kByte);
  Journey draws;
  draws.add(batch.draws);
  return {.pixels_BHWC = view.to(device, at::kByte, /*non_blocking=*/false, /*copy=*/true),
          .draws_B = draws.to(device)};
}

}  // namespace

Inputs to_device(const Batch& batch, const at::Device& device) {
  if (const auto* text = std::get_if<PackedText>(&batch.input)) return text_inputs(*text, batch, device);
  return image_inputs(batch.images(), batch, device);
}

}  // namespace sft
