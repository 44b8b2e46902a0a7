#include "trainer/models/blocks/block_rows.h"

#include <ATen/TensorOperators.h>

#include <vector>

namespace sft {

RowKeys BlockRows::keys_of(Mode mode, const at::Tensor& draws, const at::Tensor& positions) const {
  return row_keys(mode, draws, pass > 0 ? positions + pass * kPlaces : positions);
}

BlockRows::Projected BlockRows::projected(const at::Tensor& x_NC, const at::Tensor& x_MC, const Linear& query,
                                          const Linear& key, const Linear& value, Mode mode) const {
  if (read == nullptr) {
    const std::vector<at::Tensor> all = linear(x_NC, {query, key, value}, keys_N(mode));
    return {all[0], all[1], all[2]};
  }
  const at::Tensor q_M = linear(x_MC, query, keys_M(mode));
  const std::vector<at::Tensor> both = linear(x_NC, {key, value}, keys_N(mode));
  return {q_M, both[0], both[1]};
}

at::Tensor BlockRows::attended(int stage, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                               Attention how) const {
  how.queries = read != nullptr ? &read->offsets : &inputs.host_offsets;
  how.keys = &inputs.host_offsets;
  how.draws_B = inputs.draws_B;
  how.groups = read != nullptr ? &read->groups : &inputs.groups;
  if (read != nullptr) how.places_M = read->positions_M;
  if (inputs.cache == nullptr) return attend(q, k, v, how);
  const KeyValueCache::Kept kept = inputs.cache->append(stage, k, v);
  how.keys = kept.begins;
  how.key_ends = kept.ends;
  how.places_M = positions_M();
  return attend(q, kept.k, kept.v, how);
}

}  // namespace sft
