// Memory of a tensor, borrowed, with what a file says about it. Keeps this folder free of LibTorch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sft {

struct TensorRef {
  std::string name;
  std::string dtype;  // safetensors' spelling: F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL
  std::vector<int64_t> shape;
  void* data = nullptr;  // host memory, contiguous
  int64_t bytes = 0;
};

}  // namespace sft
