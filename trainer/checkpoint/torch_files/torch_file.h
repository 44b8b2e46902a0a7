// A file of torch.save: a dictionary of tensors, as pytorch_model.bin and torchvision's .pth are. Since torch 1.6 it is
// a zip archive: a pickle that tells shapes, and an entry of plain bytes for each storage; before, four pickles and
// the storages behind them. Either way tensors are read where they lie.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "trainer/checkpoint/tensor_file.h"

namespace sft {

class TorchFile final : public TensorFile {
 public:
  // ConfigError where there is no such file. DataError, naming it and how to convert it, where it holds anything else
  // than torch.save writes of a dictionary of tensors, or is cut short. No code of a file is ever run.
  explicit TorchFile(const std::string& path);

 private:
  void read();

  std::vector<std::unique_ptr<std::byte[]>> copies_;  // of tensors whose elements do not lie in their order
};

}  // namespace sft
