#include "trainer/models/inputs.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace sft {
namespace {

at::ScalarType type_of(Number number) {
  switch (number) {
    case Number::uint8:
      return at::kByte;
    case Number::int32:
      return at::kInt;
    case Number::float32:
      return at::kFloat;
    case Number::int64:
      break;
  }
  return at::kLong;
}

// Values that go to a device in one copy, and are then looked at by piece.
class Journey {
 public:
  // Returns where in the result they will be.
  template <class Values>
  std::pair<int64_t, int64_t> add(const Values& values) {
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

TextInputs text_inputs(const Batch& batch, const at::Device& device) {
  const Offsets& sequences = batch.offsets("token");
  const auto num_tokens = static_cast<size_t>(sequences.back());
  std::vector<int64_t> draws_N, positions_N(num_tokens), segments_N(num_tokens);
  draws_N.reserve(num_tokens);
  for (size_t b = 0; b + 1 < sequences.size(); ++b) {
    draws_N.insert(draws_N.end(), static_cast<size_t>(sequences[b + 1] - sequences[b]), batch.draws[b]);
    std::iota(positions_N.begin() + sequences[b], positions_N.begin() + sequences[b + 1], int64_t{0});
  }
  if (batch.schema.find("segments") != nullptr)
    std::ranges::copy(batch.at("segments").as<uint8_t>(), segments_N.begin());
  TextInputs inputs;
  inputs.host_offsets = sequences;
  std::vector<int64_t> order;
  if (!device.is_cpu()) inputs.groups.groups = group_sequences(sequences, order);

  Journey journey;
  const auto tokens = journey.add(batch.at("tokens").as<int32_t>()), positions = journey.add(positions_N),
             segments = journey.add(segments_N), draws = journey.add(draws_N), draws_B = journey.add(batch.draws),
             offsets = journey.add(sequences), by_length = journey.add(order);
  const at::Tensor all = journey.to(device);
  const auto piece = [&](std::pair<int64_t, int64_t> place) { return all.narrow(0, place.first, place.second); };
  inputs.tokens_N = piece(tokens);
  inputs.positions_N = piece(positions);
  inputs.segments_N = piece(segments);
  inputs.draws_N = piece(draws);
  inputs.draws_B = piece(draws_B);
  inputs.first_B = piece(offsets).narrow(0, 0, inputs.num_sequences());
  if (!device.is_cpu()) {
    inputs.groups.offsets = piece(offsets).to(at::kInt);
    inputs.groups.order_B = piece(by_length).to(at::kInt);
  }
  return inputs;
}

ImageInputs image_inputs(const Batch& batch, const at::Device& device) {
  Journey draws;
  draws.add(batch.draws);
  return {.pixels_BHWC = view_of(batch, "pixels").to(device, at::kByte, /*non_blocking=*/false, /*copy=*/true),
          .draws_B = draws.to(device)};
}

}  // namespace

at::Tensor view_of(const Batch& batch, const std::string& name) {
  const Packed& numbers = batch.at(name);
  const Column& column = batch.schema.at(name);
  std::vector<int64_t> shape = {static_cast<int64_t>(numbers.size()) / column.entry_numbers()};
  shape.insert(shape.end(), column.shape.begin(), column.shape.end());
  return at::from_blob(const_cast<std::byte*>(numbers.bytes()), shape, type_of(column.number));
}

Inputs to_device(const Batch& batch, const at::Device& device) {
  if (batch.schema.find("tokens") != nullptr) return text_inputs(batch, device);
  return image_inputs(batch, device);
}

}  // namespace sft
