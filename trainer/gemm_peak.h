// The speed of light here: what a matrix product reaches on this rank's threads, measured at start.
#pragma once

namespace sft {

// Floating point operations a second of a float32 product of two 768 × 768 matrices, the best of a few; about 20 ms.
double measured_gemm_flops();

}  // namespace sft
