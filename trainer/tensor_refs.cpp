#include "trainer/tensor_refs.h"

#include <array>
#include <cassert>

#include "base/errors.h"

namespace sft {
namespace {

constexpr std::array<std::pair<at::ScalarType, const char*>, 10> kDtypes{{{at::kDouble, "F64"},
                                                                          {at::kFloat, "F32"},
                                                                          {at::kHalf, "F16"},
                                                                          {at::kBFloat16, "BF16"},
                                                                          {at::kLong, "I64"},
                                                                          {at::kInt, "I32"},
                                                                          {at::kShort, "I16"},
                                                                          {at::kChar, "I8"},
                                                                          {at::kByte, "U8"},
                                                                          {at::kBool, "BOOL"}}};

TensorRef ref_of(const std::string& name, const at::Tensor& tensor) {
  assert(tensor.is_contiguous() && tensor.device().is_cpu());
  return {name, dtype_name(tensor.scalar_type()), tensor.sizes().vec(), tensor.data_ptr(),
          static_cast<int64_t>(tensor.nbytes())};
}

}  // namespace

std::vector<TensorRef> refs_of(const Parameters& parameters) {
  std::vector<TensorRef> refs;
  for (const Parameter& parameter : parameters) refs.push_back(ref_of(parameter.name, parameter.value));
  return refs;
}

std::vector<TensorRef> refs_of(const std::vector<std::pair<std::string, at::Tensor>>& tensors) {
  std::vector<TensorRef> refs;
  for (const auto& [name, tensor] : tensors) refs.push_back(ref_of(name, tensor));
  return refs;
}

std::string dtype_name(at::ScalarType dtype) {
  for (const auto& [type, name] : kDtypes)
    if (type == dtype) return name;
  throw ConfigError(std::string("safetensors has no dtype for ") + at::toString(dtype));
}

at::ScalarType dtype_from(const std::string& name) {
  for (const auto& [type, spelling] : kDtypes)
    if (name == spelling) return type;
  throw DataError("dtype " + name + " of a safetensors file is not built");
}

}  // namespace sft
