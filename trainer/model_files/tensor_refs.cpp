#include "trainer/model_files/tensor_refs.h"

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

NamedTensors named_tensors(const Parameters& parameters) {
  NamedTensors tensors;
  for (const Parameter& parameter : parameters) tensors.emplace_back(parameter.name, parameter.in_files());
  return tensors;
}

HostTensors::HostTensors(const NamedTensors& tensors) {
  for (const auto& [name, tensor] : tensors) {
    homes_.push_back(tensor.detach());
    copies_.push_back(homes_.back().cpu().contiguous());
    refs_.push_back(ref_of(name, copies_.back()));
  }
}

void HostTensors::write_back() const {
  for (size_t i = 0; i < homes_.size(); ++i)
    if (!copies_[i].is_alias_of(homes_[i])) homes_[i].copy_(copies_[i]);
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
