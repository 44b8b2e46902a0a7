// A LoRA adapter as PEFT leaves it in a directory: adapter_config.json beside adapter_model.safetensors, or beside
// adapter_model.bin, as older versions write it. A checkpoint of a run with adapters is one too, its tensors in files
// of the names that every checkpoint has.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/schema.h"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/models/parameter.h"

namespace sft {

inline constexpr char kAdapterConfig[] = "adapter_config.json";
inline constexpr char kAdapterWeights[] = "adapter_model.safetensors";
// What the header of an exported adapter tells beside its tensors: checksum_of() the weights that it was trained on.
inline constexpr char kBaseWeights[] = "base_weights";
// What PEFT writes in front of a module's name.
inline constexpr char kPeftPrefix[] = "base_model.model.";

// Of adapter_config.json.
struct AdapterSettings {
  std::string base;  // base_model_name_or_path
  std::string task_type;
  int64_t r = 0;
  double lora_alpha = 0, lora_dropout = 0;
  bool use_rslora = false;
  StringList modules_to_save;
};

// DataError naming the file where it is no such JSON object; ConfigError naming the key of what is not built: other
// kinds of adapters than LoRA, DoRA, ranks by pattern, trained biases and embeddings, starts that change the base.
AdapterSettings read_adapter_settings(const std::string& directory);

class AdapterFiles {
 public:
  explicit AdapterFiles(const std::string& directory);

  const std::string& directory() const { return directory_; }
  const AdapterSettings& settings() const { return settings_; }
  // As in the model, without PEFT's prefix: "bert.encoder.layer.0.attention.self.query.lora_A.weight".
  std::vector<std::string> names() const;
  const TensorRef* find(const std::string& name) const;  // null where it is not there

  // checksum_of() the weights below it when it was trained; "" where the files do not tell, as PEFT's.
  std::string base_weights() const;

  // Fills each from the tensor of its name, which must be there. DataError naming the first that is of another shape.
  void load(const Parameters& parameters) const;

 private:
  std::string directory_;
  AdapterSettings settings_;
  std::unique_ptr<TensorFile> file_;    // PEFT's
  std::unique_ptr<WeightFiles> files_;  // a checkpoint's
};

}  // namespace sft
