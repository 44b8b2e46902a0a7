// A trained or frozen tensor and its Hugging Face name.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace sft {

struct Parameter {
  std::string name;                     // as in the checkpoint of the transformers class, "bert.encoder.layer.0.…"
  at::Tensor value;                     // a leaf; model and optimizer share it
  int stage = 0;                        // 0 the embedding, 1 … n the blocks, n+1 the pooler, n+2 the head
  bool decays = true;                   // false for biases and norm weights, as in Hugging Face
  bool is_transposed_in_files = false;  // GPT-2's matrices are [in, out] there, and [out, in] here
  // A matrix whose readers take it in a narrower type than the others', and compute as if it were widened first.
  bool may_be_narrow = false;
  // Of a matrix that files hold in more dimensions, XLNet's [C, H, D]; empty: in its own, or those turned.
  std::vector<int64_t> shape_in_files = {};

  // As weight files and checkpoints have it: a view.
  at::Tensor in_files() const {
    const at::Tensor turned = is_transposed_in_files ? value.detach().t() : value.detach();
    return shape_in_files.empty() ? turned : turned.view(shape_in_files);
  }
  // What a file has, contiguous, as the value stands: a view.
  at::Tensor from_file(const at::Tensor& stored) const {
    return is_transposed_in_files ? stored.view({value.size(1), value.size(0)}).t() : stored.view(value.sizes());
  }
};
using Parameters = std::vector<Parameter>;  // in forward order

}  // namespace sft
