// The weights of a Keras file by our names: "conv1/kernel", "mobilenet/conv1/kernel" of a nested model.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/checkpoint/safetensors.h"
#include "trainer/checkpoint/tensor_file.h"
#include "trainer/model_files/keras_file.h"

namespace sft {

// The weights of a model: of the Keras file at `path`, else of the directory. `config` is config.json's content with
// all that the run overrides in it.
std::shared_ptr<const WeightFiles> open_weights(const std::string& path, const nlohmann::json& config);

// Tensors stay in the file, mapped, where it keeps them in one piece. The optimizer's are not read.
class KerasWeights final : public TensorFile {
 public:
  // For the layers that `config` says, whole. DataError naming file, layer and weight where one is missing, is no
  // floating point number of 32 or 64 bits, or where a layer has fewer than its kind.
  KerasWeights(const KerasFile& file, const nlohmann::json& config);

  bool is_unchanged() const override { return !is_watched_ || TensorFile::is_unchanged(); }

 private:
  KerasWeights(const KerasFile& file, std::shared_ptr<const GuardedFile> weights, const nlohmann::json& config);
  TensorRef tensor_of(const std::string& name, const std::string& dataset);

  std::shared_ptr<const GuardedFile> file_;
  std::deque<std::vector<std::byte>> read_;  // what the file does not keep in one piece
  bool is_watched_;                          // a .keras archive was unpacked: nobody else has what is mapped
};

}  // namespace sft
