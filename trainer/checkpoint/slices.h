// Who writes what: model tensors are shared out whole, because other programs read those files; optimizer
// buffers are cut by bytes, so that every rank writes about as much as every other, and what is spread over ranks is
// written by those who have it.
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
  int64_t start = 0;  // where they begin in the writer's memory of a spread tensor, and in its file
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

// The same where optimizer buffers are spread: runs[rank][k] are those that `rank` has of buffer k. Internal error
// where they do not cover a buffer once.
using SpreadRuns = std::vector<std::vector<std::vector<ByteRun>>>;
std::vector<FilePlan> plan_files(const std::vector<TensorRef>& model, const std::vector<TensorRef>& optimizer,
                                 const SpreadRuns& runs, const CutSizes& sizes);

// What a file holds of the tensors that are cut, each as a tensor of its own: the whole tensor, or flat runs of
// elements one behind the other.
std::vector<TensorRef> tensors_of(const std::vector<TensorRef>& tensors, const FilePlan& file);

}  // namespace sft
