#include "device/attention_on.h"

namespace sft::testing {

std::vector<at::Tensor> attend_on(const c10::Device& where, at::ScalarType type, const AttentionCase& with) {
  const auto leaf = [&](const at::Tensor& x) { return x.detach().to(where, type).clone().set_requires_grad(true); };
  const at::Tensor q = leaf(with.q), k = leaf(with.k), v = leaf(with.v);
  Attention attention = with.attention;
  attention.draws_B = attention.draws_B.to(where);
  if (attention.places_M.defined()) attention.places_M = attention.places_M.to(where);
  SequenceGroups groups;
  std::vector<int64_t> order;
  groups.groups = group_sequences(with.asked.queries, with.asked.keys, order);
  groups.order_B = at::tensor(order, at::kInt).to(where);
  groups.keys = at::tensor(with.asked.keys, at::kInt).to(where);
  groups.queries =
      with.asked.queries == with.asked.keys ? groups.keys : at::tensor(with.asked.queries, at::kInt).to(where);
  attention.groups = &groups;
  const at::Tensor out = attend(q, k, v, attention);
  out.backward(with.seen.to(where, type));
  std::vector<at::Tensor> results{out.detach(), q.grad(), k.grad(), v.grad()};
  for (at::Tensor& result : results) result = result.cpu().to(at::kDouble);
  return results;
}

}  // namespace sft::testing
