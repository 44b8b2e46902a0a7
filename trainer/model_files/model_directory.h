// A model directory in Hugging Face layout: where it is, and what its config.json and the files beside it say.
#pragma once

#include <nlohmann/json.hpp>
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
  explicit ModelDirectory(const std::string& name_or_path);

  const std::string& path() const { return path_; }
  const nlohmann::json& config() const { return config_; }
  // Labels by id as id2label has them; empty where it is absent or only LABEL_0, LABEL_1, …
  std::vector<std::string> label_names() const;
  // The transformers class that config.json names first; "" where it names none.
  std::string architecture() const;
  // "model_max_length" of tokenizer_config.json, 0 where it has none.
  int64_t model_max_length() const;
  // "truncation_side" of tokenizer_config.json: left, else right, as in transformers.
  std::string truncation_side() const;

  // The pooling that our own export wrote down where it is not the transformers class's; "auto" otherwise.
  std::string pooling() const;

  // The threshold of a multi-label model that our own export wrote down where it is not 0.5.
  double threshold() const;

  // data.image_size and data.crop as our own export wrote them down (preprocessor_config.json); unchanged where it did
  // not.
  void read_image_settings(DataConfig& into) const;

  // The content of a file in the directory; "" where it is not there.
  std::string text_of(const std::string& file) const;

 private:
  std::string path_;
  nlohmann::json config_;
};

}  // namespace sft
