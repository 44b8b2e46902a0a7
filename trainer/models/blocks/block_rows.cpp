#include "trainer/models/blocks/block_rows.h"

namespace sft {

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
