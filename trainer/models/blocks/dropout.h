// Dropout whose mask is a pure function of what is dropped, never of how a batch was packed or of which rank
// holds it: an element falls by (seed, place in the model, draw of its sequence, token's position there,
// channel). A sample drawn twice has two draws, hence two masks.
//
// The random bits are Philox4x32-10 of that key, 16 of them an element: the rate is rounded to 1/65536 (0.1
// becomes 6554/65536) and kept elements are scaled by exactly the inverse of what is then kept.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/models/blocks/dropout_key.h"

namespace sft {

// x [N, C], float or double, any device. draws, positions: int64 [N] on x's device; the row of a whole sequence
// (pooled, its first token) has position 0. p = 0 returns x itself. The mask is not stored: backward draws
// it again. Requires 0 ≤ p < 1.
at::Tensor keyed_dropout(const at::Tensor& x, const DropoutKey& key, const at::Tensor& draws,
                         const at::Tensor& positions, double p);

// The same without a graph: the values, or from a gradient of the values that of x.
at::Tensor dropped(const at::Tensor& x, const Dropout& dropout, const at::Tensor& draws, const at::Tensor& positions);

}  // namespace sft
