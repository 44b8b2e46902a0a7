// XLNet's attention: a query meets the content of a key, the distance to it, and whether it is of the query's segment,
// each with a bias of its own (Yang et al., 2019, section 2.4; Dai et al., 2019, section 3.3):
//   score(i, j) = ((q_i + w) · k_j + (q_i + r) · R s(i − j) + (q_i + s) · segment[s_i ≠ s_j]) / √D
// where s(d) is the row of sines and cosines of the distance d, and R a layer.
//
// N packed rows, M of them that are carried on, L keys of a sequence, H heads of width D, C = H · D channels
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "trainer/models/blocks/block_rows.h"
#include "trainer/models/blocks/dropout_key.h"
#include "trainer/models/blocks/linear.h"

namespace sft {

// Rows s(d) of sines and cosines, made once up to the longest text that there was.
class DistanceSines {
 public:
  // `farthest`: distances beyond are as this one; 0: none is.
  DistanceSines(int64_t width, int64_t farthest, const at::TensorOptions& options)
      : width_(width), farthest_(farthest), options_(options) {}
  // Of the distances 1 − L … L − 1: [2 L − 1, C], rounded to float32 as transformers computes them.
  at::Tensor of_length(int64_t length);

 private:
  int64_t width_, farthest_, longest_ = 0;
  at::TensorOptions options_;
  at::Tensor rows_;
};

struct RelativeBiases {
  at::Tensor content_HD, distance_HD, segment_HD;  // w, r and s
  at::Tensor segments_2HD;                         // of the same segment, of another
};

struct RelativeAttention {
  int64_t heads = 1;
  RelativeBiases biases;
  Linear distance;        // R
  Dropout distances;      // of rows s(d), for each sequence by its draw
  Dropout probabilities;  // by draw, head, place of the query, key
};

// q [M, C] of the rows that are carried on, k and v [N, C] → [M, C].
at::Tensor attend_relative(const at::Tensor& q_MC, const at::Tensor& k_NC, const at::Tensor& v_NC, DistanceSines& sines,
                           const BlockRows& rows, const RelativeAttention& how);

}  // namespace sft
