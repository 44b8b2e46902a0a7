// Packed rows that attend to one another, for tests.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "trainer/models/blocks/attention.h"

namespace sft::testing {

// Which rows ask and which answer, with an offset each.
struct Asked {
  std::vector<int64_t> queries{0}, keys{0};
  std::vector<int64_t> places;  // of the queries among their sequence's keys
  bool says_places = true;      // false: 0, 1, 2, … go without saying
};

Asked all_rows(const std::vector<int64_t>& lengths);
Asked first_rows(const std::vector<int64_t>& lengths);
Asked last_rows(const std::vector<int64_t>& lengths);
// About every third row; of every fourth sequence none.
Asked some_rows(const std::vector<int64_t>& lengths);
// Cross attention.
Asked other_keys(const std::vector<int64_t>& queries, const std::vector<int64_t>& keys);

struct CaseShape {
  int64_t heads = 1, key_heads = 1, width = 8;
  double p = 0.0;
  at::ScalarType type = at::kDouble;
};

struct AttentionCase {
  AttentionCase(const Asked& asked, const CaseShape& shape);
  // Sequence b of another case alone.
  AttentionCase(const AttentionCase& all, size_t b);
  AttentionCase(const AttentionCase&) = delete;

  // A bias of the places below `queries` and `keys`.
  void add_bias(int64_t queries, int64_t keys);
  // A bias of the distances of places and keys below `length`.
  void add_bias_of_distances(int64_t length);

  // The result and the gradients of q, k, v, and of the bias where there is one.
  std::vector<at::Tensor> run(at::Tensor (*function)(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                                     const Attention&)) const;

  // The share of sequence b in the i-th of the results.
  at::Tensor part(const at::Tensor& result, size_t i, size_t b) const;

  Asked asked;
  CaseShape shape;
  at::Tensor rows;  // of the queries among the keys' rows, where they are the same sequences
  at::Tensor q, k, v, seen;
  Attention attention;

 private:
  void point(const at::Tensor& draws_B);
};

}  // namespace sft::testing
