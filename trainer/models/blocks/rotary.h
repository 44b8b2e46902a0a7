// Rotary positions (Su et al., 2021) by halves, as Llama has them: in each head's width D the channels c and c + D/2
// are a point of the plane, which turns by position · frequency c.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace sft {

enum class RotaryScaling { none, linear, llama3 };

// transformers' rope_parameters.
struct RotaryRule {
  int64_t head_width = 0;  // D, even
  double theta = 10000.0;
  RotaryScaling scaling = RotaryScaling::none;
  double factor = 1.0;                                         // linear and llama3: frequencies are divided by it
  double low_frequency_factor = 1, high_frequency_factor = 4;  // llama3: of wavelengths against original_positions
  int64_t original_positions = 0;                              // llama3
};

// float32 [D/2], to the bit as transformers computes them: θ^(−2c/D), then scaled.
at::Tensor rotary_frequencies(const RotaryRule& rule);

// cos and sin of position · frequency, computed in float32 as transformers does, [P, D/2] each.
struct RotaryAngles {
  at::Tensor cosines, sines;
};

// Angles of the positions that were asked for so far; the tables grow with the longest sequence.
class RotaryTable {
 public:
  // `options`: of the angles.
  RotaryTable(const RotaryRule& rule, const at::TensorOptions& options);
  // Of the positions 0 … positions − 1 at least.
  const RotaryAngles& up_to(int64_t positions);

 private:
  at::Tensor frequencies_;
  at::TensorOptions options_;
  RotaryAngles angles_;
};

struct Rotated {
  at::Tensor q, k;
};
// q [M, H · D] and k [N, G · D] turned; positions int64 [M] and [N], below the angles' P. In the type of q and k.
Rotated rotate(const at::Tensor& q, const at::Tensor& k, const at::Tensor& positions_M, const at::Tensor& positions_N,
               const RotaryAngles& angles);

}  // namespace sft
