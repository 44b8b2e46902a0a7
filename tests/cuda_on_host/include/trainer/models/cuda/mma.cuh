// In the place of the header of this name: the same functions by the fragment layouts of the PTX ISA. Products of
// bfloat16 are exact in float32; sums are made in another order than a tensor core's.
#pragma once

#include <cstdint>
#include <cstring>

#include "tests/cuda_on_host/block.h"

namespace sft::cuda {

inline float low_half(uint32_t pair) { return std::bit_cast<float>(pair << 16); }
inline float high_half(uint32_t pair) { return std::bit_cast<float>(pair & 0xFFFF0000u); }

// "Matrix Fragments for mma.m16n8k16 with floating point type": lane 4g + t has of a rows g and g + 8, of b column g
// and of the sum rows g and g + 8; of columns, or of b's rows, 2t and 2t + 1 and those 8 further.
inline void multiply_fragments(const uint32_t (&a)[4], uint32_t b0, uint32_t b1, float (&sum)[4]) {
  struct Operand {
    const uint32_t* a;
    uint32_t b[2];
    float* sum;
  } mine{a, {b0, b1}, sum};
  test::on_host::meet(
      [](void* const* lanes) {
        float left[16][16], right[16][8];
        for (int lane = 0; lane < 32; ++lane) {
          const auto& operand = *static_cast<const Operand*>(lanes[lane]);
          const int g = lane / 4, t = lane % 4;
          for (int i = 0; i < 4; ++i) {
            const int row = g + i % 2 * 8, column = 2 * t + i / 2 * 8;
            left[row][column] = low_half(operand.a[i]), left[row][column + 1] = high_half(operand.a[i]);
          }
          for (int i = 0; i < 2; ++i)
            right[2 * t + i * 8][g] = low_half(operand.b[i]), right[2 * t + i * 8 + 1][g] = high_half(operand.b[i]);
        }
        float products[16][8] = {};
        for (int row = 0; row < 16; ++row)
          for (int k = 0; k < 16; ++k)
            for (int column = 0; column < 8; ++column) products[row][column] += left[row][k] * right[k][column];
        for (int lane = 0; lane < 32; ++lane)
          for (int i = 0; i < 4; ++i)
            static_cast<Operand*>(lanes[lane])->sum[i] += products[lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2];
      },
      &mine);
}

// "ldmatrix … .x4.trans": lane 4g + t receives of matrix i, transposed, the elements 2t and 2t + 1 of row g.
inline void load_transposed(const void* row, uint32_t (&fragments)[4]) {
  struct Operand {
    const void* row;
    uint32_t* fragments;
  } mine{row, fragments};
  test::on_host::meet(
      [](void* const* lanes) {
        uint16_t matrices[4][8][8];
        for (int lane = 0; lane < 32; ++lane) {
          const void* const from = static_cast<const Operand*>(lanes[lane])->row;
          test::on_host::require(reinterpret_cast<uintptr_t>(from) % 16 == 0, "a row of ldmatrix between places");
          const auto* const chunk = static_cast<const uint16_t*>(from);
          for (int c = 0; c < 8; ++c) matrices[lane / 8][lane % 8][c] = chunk[c];
        }
        for (int lane = 0; lane < 32; ++lane) {
          const int g = lane / 4, t = lane % 4;
          for (int i = 0; i < 4; ++i)
            static_cast<Operand*>(lanes[lane])->fragments[i] =
                matrices[i][2 * t][g] | uint32_t{matrices[i][2 * t + 1][g]} << 16;
        }
      },
      &mine);
}

}  // namespace sft::cuda
