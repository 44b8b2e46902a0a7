#include "trainer/checkpoint/tensor_file.h"

#include <algorithm>
#include <filesystem>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/checkpoint/torch_files/torch_file.h"

namespace sft {

const TensorRef* TensorFile::find(const std::string& name) const {
  const auto found = std::ranges::lower_bound(by_name_, name, {}, &TensorRef::name);
  return found != by_name_.end() && (*found)->name == name ? *found : nullptr;
}

void TensorFile::set_tensors(std::vector<TensorRef> tensors) {
  tensors_ = std::move(tensors);
  by_name_.clear();
  for (const TensorRef& tensor : tensors_) by_name_.push_back(&tensor);
  std::ranges::sort(by_name_, {}, &TensorRef::name);
  const auto name = [](const TensorRef* tensor) -> const std::string& { return tensor->name; };
  const auto twice = std::ranges::adjacent_find(by_name_, {}, name);
  if (twice != by_name_.end()) throw DataError(concat(path_, ": tensor ", in_quotes((*twice)->name), " stands twice"));
}

bool has_torch_ending(const std::string& path) {
  const std::string ending = std::filesystem::path(path).extension();
  return ending == ".bin" || ending == ".pt" || ending == ".pth";
}

std::unique_ptr<TensorFile> open_tensor_file(const std::string& path) {
  if (has_torch_ending(path)) return std::make_unique<TorchFile>(path);
  return std::make_unique<SafetensorsFile>(path);
}

}  // namespace sft
