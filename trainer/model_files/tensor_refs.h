// Tensors as the checkpoint folder sees them.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

#include "trainer/checkpoint/tensor_ref.h"
#include "trainer/models/parameter.h"

namespace sft {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;
NamedTensors named_tensors(const Parameters& parameters);

// Tensors in host memory, where files are written from and read to: those of a CPU themselves; those of a device, and
// those that files hold transposed, as copies, which must outlive what borrows their references.
class HostTensors {
 public:
  explicit HostTensors(const NamedTensors& tensors);

  const std::vector<TensorRef>& refs() const& { return refs_; }
  std::vector<TensorRef>& refs() & { return refs_; }
  void refs() const&& = delete;  // of a temporary they would borrow what is gone
  // After something was read into the references: brings it to the tensors that have copies.
  void write_back() const;

 private:
  std::vector<at::Tensor> homes_, copies_;
  std::vector<TensorRef> refs_;
};

// safetensors' spelling of a dtype; ConfigError for one that the format lacks.
std::string dtype_name(at::ScalarType dtype);
at::ScalarType dtype_from(const std::string& name);

}  // namespace sft
