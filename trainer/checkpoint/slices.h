// Who writes what: model tensors are shared out whole, because other programs read those files; optimizer
// buffers are cut by bytes, so that every rank writes about as much as every other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/checkpoint/tensor_ref.h"

namespace sft {

// Sizes below which another file is not worth its cost.
struct CutSizes {
  int64_t model_file_bytes = int64_t{1} << 30;
  int64_t optimizer_slice_bytes = int64_t{1} << 20;
};

// Bytes [offset, offset + bytes) of the tensor number `tensor` in its list.
struct Cut {
  size_t tensor = 0;
  int64_t offset = 0;
  int64_t bytes = 0;
};

// One safetensors file of a checkpoint, and the rank that writes it.
struct FilePlan {
  std::string name;
  int writer = 0;
  bool is_model = true;
  std::vector<Cut> cuts;
};

// A pure function of its arguments, so every rank knows the whole plan. Every tensor of either list is
// covered once, in order; files without bytes are left out, but for the model's where there are model tensors.
std::vector<FilePlan> plan_files(const std::vector<TensorRef>& model, const std::vector<TensorRef>& optimizer,
                                 int world, const CutSizes& sizes);

// The cut's bytes as a tensor of their own: the whole tensor, or a flat run of elements.
TensorRef tensor_of(const TensorRef& tensor, const Cut& cut);

}  // namespace sft
