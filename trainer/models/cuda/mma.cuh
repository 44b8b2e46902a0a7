// Instructions of a whole warp that CUDA has no function for: PTX ISA, "mma" and "ldmatrix".
#pragma once

#include <cstdint>

namespace sft::cuda {

// sum += a · b of 16 x 16 by 16 x 8 in bf16, in the fragments of mma.m16n8k16.
__device__ inline void multiply_fragments(const uint32_t (&a)[4], uint32_t b0, uint32_t b1, float (&sum)[4]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Four 8 x 8 matrices of shared memory, transposed: lanes 8i … 8i + 7 name the rows of matrix i, of 16 bytes each.
__device__ inline void load_transposed(const void* row, uint32_t (&fragments)[4]) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(fragments[0]), "=r"(fragments[1]), "=r"(fragments[2]), "=r"(fragments[3])
               : "r"(static_cast<uint32_t>(__cvta_generic_to_shared(row)))
               : "memory");
}

}  // namespace sft::cuda
