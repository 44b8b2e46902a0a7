// Memory of a tensor, borrowed, with what a file says about it. Keeps this folder free of LibTorch.
//
// A tensor may be spread over ranks, in runs of its bytes: each rank then names its own, which lie one behind the other
// in its memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sft {

// Bytes [offset, offset + bytes) of a tensor.
struct ByteRun {
  int64_t offset = 0;
  int64_t bytes = 0;
};

struct TensorRef {
  std::string name;
  std::string dtype;  // safetensors' spelling: F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL
  std::vector<int64_t> shape;
  void* data = nullptr;  // host memory, contiguous; of this rank's runs, where it is spread
  int64_t bytes = 0;     // of the whole tensor
  bool is_spread = false;
  std::vector<ByteRun> runs = {};  // of this rank, ascending, where it is spread
};

}  // namespace sft
