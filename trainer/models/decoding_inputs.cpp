#include "trainer/models/decoding_inputs.h"

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <utility>

namespace sft {
namespace {

// On a device: how attention cuts so many queries and keys of each sequence.
SequenceGroups groups_of(const std::vector<int64_t>& queries, const std::vector<int64_t>& keys,
                         const at::Device& device) {
  SequenceGroups groups;
  if (device.is_cpu()) return groups;
  std::vector<int64_t> order;
  groups.groups = group_sequences(queries, keys, order);
  const auto there = [&](const std::vector<int64_t>& values) { return at::tensor(values, at::kInt).to(device); };
  groups.order_B = there(order);
  groups.queries = there(queries);
  groups.keys = there(keys);
  return groups;
}

at::Tensor to_device(const std::vector<int64_t>& values, const at::Device& device) {
  return at::tensor(values, at::kLong).to(device);
}

// Sequences one behind the other. Nothing drops, and so no draw is told apart.
struct PackedTokens {
  std::vector<int64_t> tokens, positions, offsets{0};

  void add(std::span<const int32_t> sequence, int64_t first_position) {
    for (const int32_t token : sequence) {
      tokens.push_back(token);
      positions.push_back(first_position++);
    }
    offsets.push_back(static_cast<int64_t>(tokens.size()));
  }

  TextInputs inputs(const at::Device& device) const {
    TextInputs inputs;
    inputs.tokens_N = to_device(tokens, device);
    inputs.positions_N = to_device(positions, device);
    inputs.segments_N = at::zeros_like(inputs.tokens_N);
    inputs.draws_N = inputs.segments_N;
    inputs.draws_B = to_device(std::vector<int64_t>(offsets.size() - 1), device);
    inputs.groups = groups_of(offsets, offsets, device);
    inputs.most_positions = positions.empty() ? 0 : *std::ranges::max_element(positions) + 1;
    inputs.host_offsets = offsets;
    return inputs;
  }
};

}  // namespace

TextInputs decoding_inputs(std::span<const NextTokens> sequences, KeyValueCache& cache, const at::Device& device) {
  PackedTokens packed;
  std::vector<int64_t> slots, lengths, last, last_positions, one_each{0};
  for (const NextTokens& sequence : sequences) {
    packed.add(sequence.tokens, sequence.kept);
    slots.push_back(sequence.slot);
    lengths.push_back(sequence.kept);
    last.push_back(packed.offsets.back() - 1);
    last_positions.push_back(packed.positions.back());
    one_each.push_back(static_cast<int64_t>(last.size()));
  }
  cache.go_on(std::move(slots), std::move(lengths), packed.offsets);

  TextInputs inputs = packed.inputs(device);
  inputs.read = ReadRows{.offsets = one_each,
                         .rows_M = to_device(last, device),
                         .positions_M = to_device(last_positions, device),
                         .draws_M = inputs.draws_B,
                         .groups = groups_of(one_each, packed.offsets, device)};
  inputs.cache = &cache;
  return inputs;
}

PairInputs decoding_inputs(std::span<const NextTokens> targets, KeyValueCache& cache,
                           std::span<const NewSource> sources, KeyValueCache& kept_sources,
                           const std::vector<int64_t>& looked_at, const at::Device& device) {
  PackedTokens packed;
  std::vector<int64_t> slots;
  for (const NewSource& source : sources) {
    packed.add(source.tokens, 0);
    slots.push_back(source.slot);
  }
  kept_sources.begin(slots, packed.offsets, looked_at);
  return {.source = packed.inputs(device),
          .target = decoding_inputs(targets, cache, device),
          .crossed = {},
          .kept_sources = &kept_sources};
}

}  // namespace sft
