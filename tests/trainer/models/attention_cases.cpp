#include "trainer/models/attention_cases.h"

#include "trainer/models/model_fixtures.h"

namespace sft::testing {
namespace {

// Those places of each sequence that `asks` says.
template <class Asks>
Asked chosen(const std::vector<int64_t>& lengths, const Asks& asks) {
  Asked asked;
  for (size_t b = 0; b < lengths.size(); ++b) {
    for (int64_t place = 0; place < lengths[b]; ++place)
      if (asks(static_cast<int64_t>(b), place, lengths[b])) asked.places.push_back(place);
    asked.queries.push_back(static_cast<int64_t>(asked.places.size()));
    asked.keys.push_back(asked.keys.back() + lengths[b]);
  }
  return asked;
}

at::Tensor slice(const at::Tensor& rows, const std::vector<int64_t>& offsets, size_t b) {
  return rows.narrow(0, offsets[b], offsets[b + 1] - offsets[b]);
}

Asked lone(const Asked& all, size_t b) {
  const auto from = all.places.begin() + all.queries[b], to = all.places.begin() + all.queries[b + 1];
  return {{0, to - from}, {0, all.keys[b + 1] - all.keys[b]}, {from, to}, all.says_places};
}

}  // namespace

Asked all_rows(const std::vector<int64_t>& lengths) {
  Asked asked = chosen(lengths, [](int64_t, int64_t, int64_t) { return true; });
  asked.says_places = false;
  return asked;
}
Asked first_rows(const std::vector<int64_t>& lengths) {
  return chosen(lengths, [](int64_t, int64_t place, int64_t) { return place == 0; });
}
Asked last_rows(const std::vector<int64_t>& lengths) {
  return chosen(lengths, [](int64_t, int64_t place, int64_t length) { return place + 1 == length; });
}
Asked some_rows(const std::vector<int64_t>& lengths) {
  return chosen(lengths, [](int64_t b, int64_t place, int64_t) { return b % 4 != 3 && (7 * place + b) % 3 == 0; });
}

Asked other_keys(const std::vector<int64_t>& queries, const std::vector<int64_t>& keys) {
  Asked asked = all_rows(queries);
  asked.queries = asked.keys;
  asked.keys = {0};
  for (const int64_t length : keys) asked.keys.push_back(asked.keys.back() + length);
  return asked;
}

AttentionCase::AttentionCase(const Asked& asked_in, const CaseShape& shape_in) : asked(asked_in), shape(shape_in) {
  const int64_t queries = asked.queries.back(), keys = asked.keys.back();
  const auto leaf = [&](int64_t count, int64_t heads, uint64_t seed) {
    return drawn({count, heads * shape.width}, seed, shape.type).set_requires_grad(true);
  };
  q = leaf(queries, shape.heads, 1), k = leaf(keys, shape.key_heads, 2), v = leaf(keys, shape.key_heads, 3);
  seen = drawn(q.sizes(), 4, shape.type);
  std::vector<int64_t> draws, first_rows_M;
  for (size_t b = 0; b + 1 < asked.keys.size(); ++b) {
    draws.push_back(31 * asked.keys[b + 1] + static_cast<int64_t>(b));
    first_rows_M.insert(first_rows_M.end(), static_cast<size_t>(asked.queries[b + 1] - asked.queries[b]),
                        asked.keys[b]);
  }
  rows = at::tensor(first_rows_M, at::kLong) + at::tensor(asked.places, at::kLong);
  point(at::tensor(draws, at::kLong));
}

void AttentionCase::point(const at::Tensor& draws_B) {
  attention = {.heads = shape.heads,
               .key_heads = shape.key_heads,
               .queries = &asked.queries,
               .keys = &asked.keys,
               .places_M = asked.says_places ? at::tensor(asked.places, at::kLong) : at::Tensor(),
               .draws_B = draws_B,
               .dropout = {dropout_key(9, "attention.self", 1), shape.p}};
}

void AttentionCase::add_bias(int64_t queries, int64_t keys) {
  attention.bias = drawn({shape.heads, queries, keys}, 5, shape.type).set_requires_grad(true);
}

void AttentionCase::add_bias_of_distances(int64_t length) {
  attention.bias = drawn({shape.heads, 2 * length - 1}, 5, shape.type).set_requires_grad(true);
}

std::vector<at::Tensor> AttentionCase::run(at::Tensor (*function)(const at::Tensor&, const at::Tensor&,
                                                                  const at::Tensor&, const Attention&)) const {
  std::vector<at::Tensor> leaves{q, k, v};
  if (attention.bias.defined()) leaves.push_back(attention.bias);
  for (const at::Tensor& leaf : leaves) leaf.mutable_grad() = at::Tensor();
  const at::Tensor out = function(q, k, v, attention);
  (out * seen).sum().backward();
  std::vector<at::Tensor> results{out.detach()};
  for (const at::Tensor& leaf : leaves) results.push_back(leaf.grad());
  return results;
}

AttentionCase::AttentionCase(const AttentionCase& all, size_t b) : AttentionCase(lone(all.asked, b), all.shape) {
  const auto leaf = [b](const at::Tensor& of, const std::vector<int64_t>& offsets) {
    return slice(of, offsets, b).detach().clone().set_requires_grad(true);
  };
  q = leaf(all.q, all.asked.queries), k = leaf(all.k, all.asked.keys), v = leaf(all.v, all.asked.keys);
  seen = slice(all.seen, all.asked.queries, b);
  attention.draws_B = all.attention.draws_B.narrow(0, static_cast<int64_t>(b), 1).clone();
  attention.causal = all.attention.causal;
  attention.window = all.attention.window;
}

at::Tensor AttentionCase::part(const at::Tensor& result, size_t i, size_t b) const {
  return slice(result, i < 2 ? asked.queries : asked.keys, b);
}

}  // namespace sft::testing
