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

}  // namespace

TextInputs decoding_inputs(std::span<const NextTokens> sequences, KeyValueCache& cache, const at::Device& device) {
  std::vector<int64_t> tokens, positions, offsets{0}, slots, lengths, last, last_positions, one_each{0};
  for (const NextTokens& sequence : sequences) {
    for (const int32_t token : sequence.tokens) {
      positions.push_back(sequence.kept + static_cast<int64_t>(tokens.size()) - offsets.back());
      tokens.push_back(token);
    }
    offsets.push_back(static_cast<int64_t>(tokens.size()));
    slots.push_back(sequence.slot);
    lengths.push_back(sequence.kept);
    last.push_back(offsets.back() - 1);
    last_positions.push_back(positions.back());
    one_each.push_back(static_cast<int64_t>(last.size()));
  }
  cache.go_on(std::move(slots), std::move(lengths), offsets);

  const auto there = [&](const std::vector<int64_t>& values) { return at::tensor(values, at::kLong).to(device); };
  TextInputs inputs;
  inputs.tokens_N = there(tokens);
  inputs.positions_N = there(positions);
  inputs.segments_N = at::zeros_like(inputs.tokens_N);
  inputs.draws_N = inputs.segments_N;  // nothing drops
  ReadRows read{.offsets = one_each,
                .rows_M = there(last),
                .positions_M = there(last_positions),
                .draws_M = at::zeros_like(there(last)),
                .groups = groups_of(one_each, offsets, device)};
  inputs.draws_B = read.draws_M;
  inputs.groups = groups_of(offsets, offsets, device);
  inputs.read = std::move(read);
  inputs.most_positions = last_positions.empty() ? 0 : *std::ranges::max_element(last_positions) + 1;
  inputs.host_offsets = std::move(offsets);
  inputs.cache = &cache;
  return inputs;
}

}  // namespace sft
