#include "trainer/models/inputs.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include "trainer/models/blocks/sent.h"

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
  at::Tensor to(const at::Device& device) const { return sent(values_, device); }

 private:
  std::vector<int64_t> values_;
};

// Ascending.
std::vector<int64_t> rows_of(const Reading& reading, const Offsets& sequences) {
  if (reading.reads == Reads::first) return {sequences.begin(), sequences.end() - 1};
  std::vector<int64_t> rows = reading.rows;
  if (reading.reads == Reads::last)
    for (size_t b = 1; b < sequences.size(); ++b) rows.push_back(sequences[b] - 1);
  return rows;
}

// [B+1]: how many of the rows are of the sequences before each.
std::vector<int64_t> offsets_among(const std::vector<int64_t>& rows, const Offsets& sequences) {
  std::vector<int64_t> offsets;
  for (const int64_t end : sequences) offsets.push_back(std::ranges::lower_bound(rows, end) - rows.begin());
  return offsets;
}

std::vector<int64_t> picked(const std::vector<int64_t>& values, const std::vector<int64_t>& rows) {
  std::vector<int64_t> out;
  for (const int64_t row : rows) out.push_back(values[static_cast<size_t>(row)]);
  return out;
}

// Packed tokens of a batch, sequence after sequence.
struct Stream {
  const Offsets& sequences;
  std::span<const int32_t> tokens;
  std::span<const uint8_t> segments = {};  // none: all are of the first
};

TextInputs text_inputs(const Stream& stream, const std::vector<int64_t>& draws_of_samples, const at::Device& device,
                       const Reading& reading) {
  const Offsets& sequences = stream.sequences;
  const auto num_tokens = static_cast<size_t>(sequences.back());
  std::vector<int64_t> draws_N, positions_N(num_tokens), segments_N(num_tokens);
  draws_N.reserve(num_tokens);
  int64_t longest = 0;
  for (size_t b = 0; b + 1 < sequences.size(); ++b) {
    draws_N.insert(draws_N.end(), static_cast<size_t>(sequences[b + 1] - sequences[b]), draws_of_samples[b]);
    std::iota(positions_N.begin() + sequences[b], positions_N.begin() + sequences[b + 1], int64_t{0});
    longest = std::max(longest, sequences[b + 1] - sequences[b]);
  }
  std::ranges::copy(stream.segments, segments_N.begin());
  TextInputs inputs;
  inputs.host_offsets = sequences;
  inputs.most_positions = longest;
  std::vector<int64_t> order;
  if (!device.is_cpu()) inputs.groups.groups = group_sequences(sequences, sequences, order);
  std::vector<int64_t> rows;
  if (reading.reads != Reads::all) {
    rows = rows_of(reading, sequences);
    inputs.read.emplace().offsets = offsets_among(rows, sequences);
    if (!device.is_cpu()) inputs.read->groups.groups = group_sequences(inputs.read->offsets, sequences, order);
  }

  Journey journey;
  const auto tokens = journey.add(stream.tokens), positions = journey.add(positions_N),
             segments = journey.add(segments_N), draws = journey.add(draws_N), draws_B = journey.add(draws_of_samples),
             offsets = journey.add(sequences), by_length = journey.add(order), read = journey.add(rows),
             read_positions = journey.add(picked(positions_N, rows)), read_draws = journey.add(picked(draws_N, rows)),
             read_offsets = journey.add(inputs.read ? inputs.read->offsets : std::vector<int64_t>());
  const at::Tensor all = journey.to(device);
  const auto piece = [&](std::pair<int64_t, int64_t> place) { return all.narrow(0, place.first, place.second); };
  inputs.tokens_N = piece(tokens);
  inputs.positions_N = piece(positions);
  inputs.segments_N = piece(segments);
  inputs.draws_N = piece(draws);
  inputs.draws_B = piece(draws_B);
  if (!device.is_cpu()) {
    inputs.groups.queries = inputs.groups.keys = piece(offsets).to(at::kInt);
    inputs.groups.order_B = piece(by_length).to(at::kInt);
  }
  if (inputs.read) {
    inputs.read->rows_M = piece(read);
    inputs.read->positions_M = piece(read_positions);
    inputs.read->draws_M = piece(read_draws);
    if (!device.is_cpu()) {
      inputs.read->groups.queries = piece(read_offsets).to(at::kInt);
      inputs.read->groups.keys = inputs.groups.keys;
      inputs.read->groups.order_B = inputs.groups.order_B;
    }
  }
  return inputs;
}

Stream tokens_of(const Batch& batch) {
  Stream stream{batch.offsets("token"), batch.at("tokens").as<int32_t>()};
  if (batch.schema.find("segments") != nullptr) stream.segments = batch.at("segments").as<uint8_t>();
  return stream;
}

// How attention cuts rows of targets over rows of sources.
SequenceGroups crossed_groups(const TextInputs& source, const TextInputs& target, const at::Device& device) {
  SequenceGroups crossed;
  if (device.is_cpu()) return crossed;
  std::vector<int64_t> order;
  crossed.groups = group_sequences(target.host_offsets, source.host_offsets, order);
  crossed.order_B = sent(order, device).to(at::kInt);
  crossed.queries = target.groups.queries;
  crossed.keys = source.groups.keys;
  return crossed;
}

PairInputs pair_inputs(const Batch& batch, const std::vector<int32_t>& fed, const at::Device& device) {
  PairInputs inputs;
  inputs.source = text_inputs(tokens_of(batch), batch.draws, device, {});
  inputs.target = text_inputs({batch.offsets("target_token"), fed}, batch.draws, device, {});
  inputs.crossed = crossed_groups(inputs.source, inputs.target, device);
  return inputs;
}

ImageInputs image_inputs(const Batch& batch, const at::Device& device) {
  Journey draws;
  draws.add(batch.draws);
  return {.pixels_BHWC = sent(view_of(batch, "pixels"), at::TensorOptions().dtype(at::kByte).device(device)),
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

Inputs to_device(const Batch& batch, const at::Device& device, const Reading& reading) {
  if (reading.fed) return pair_inputs(batch, *reading.fed, device);
  if (batch.schema.find("tokens") != nullptr) return text_inputs(tokens_of(batch), batch.draws, device, reading);
  return image_inputs(batch, device);
}

}  // namespace sft
