// A model directory in Hugging Face layout: where it is, and what its config.json and the files beside it say. A Keras
// file stands for such a directory: its path is that of the file.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/prepare/data_config.h"

namespace sft {

// A file's name and its whole content.
using NamedFiles = std::vector<std::pair<std::string, std::string>>;

class ModelDirectory {
 public:
  // A directory, or an id ("org/name") that the local hub cache holds. ConfigError naming what was looked
  // for where; DataError for a config.json that is not JSON.
  //
  // A directory with an adapter (adapter_config.json) stands for the model that it names as its base, with the adapter
  // on it, and so does a model with `adapter`, such a directory, beside it. Files are then looked for in the adapter's
  // directory first.
  //
  // A file whose name ends in .h5, .hdf5 or .keras is read as a Keras model (keras_file.h).
  explicit ModelDirectory(const std::string& name_or_path, const std::string& adapter = "");

  const std::string& path() const { return path_; }        // where the model's weights are
  const std::string& adapter() const { return adapter_; }  // the directory of an adapter, "" where there is none
  // Where the tokenizer and the chat template are: the adapter's directory where it has a tokenizer, as runs and TRL
  // leave it, else the model's.
  const std::string& texts_path() const { return texts_path_; }
  // What finds the model again from anywhere: an id of the hub, or an absolute path.
  const std::string& name() const { return name_; }
  const nlohmann::json& config() const { return config_; }
  // Labels by id as id2label has them, of equal ones the later as "crane (2)"; empty where it has none but LABEL_0, …
  std::vector<std::string> label_names() const;
  // Of an adapter whose directory has no config.json, as PEFT leaves it: the task_type of its own config.
  std::optional<std::string> peft_task_type() const;
  // The transformers class that config.json names first; "" where none is named.
  std::string architecture() const;
  // "model_max_length" of tokenizer_config.json, 0 where it has none.
  int64_t model_max_length() const;
  // "truncation_side" of tokenizer_config.json: left, else right, as in transformers.
  std::string truncation_side() const;

  // The pooling that our own export wrote down where it is not the transformers class's; "auto" otherwise.
  std::string pooling() const;

  // The threshold of a multi-label model that our own export wrote down where it is not 0.5.
  double threshold() const;
  // Likewise by label, where they differ or two classes have one. DataError where one is no number in [0, 1].
  std::map<std::string, double> thresholds() const;

  // data.image_size and data.crop as our own export wrote them down (preprocessor_config.json); unchanged where it did
  // not. Of a Keras file, the side of the pictures that it takes.
  void read_image_settings(DataConfig& into) const;

  // Sets what is left open: data.image_size where the model is a Keras one, which takes pictures of one size (positions
  // of ViT's patches can be brought to another, so theirs is not settled), and data.interpolation. ConfigError where
  // these settings do not go together.
  void settle_image_settings(DataConfig& into) const;

  // The content of a file in the directory; "" where it is not there.
  std::string text_of(const std::string& file) const;
  nlohmann::json json_of(const std::string& file) const;  // discarded where it is not there, or no JSON

 private:
  std::string adapter_, name_, path_, texts_path_;
  nlohmann::json config_;
};

}  // namespace sft
