// A file that Keras has written: HDF5 of Keras 2 or 3, a whole model or its weights alone, or .keras.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "data/hdf5/guard.h"

namespace sft {

// By its ending: .h5, .hdf5, .keras.
bool is_keras_file(const std::string& path);

class KerasFile {
 public:
  // ConfigError where there is no such file; DataError naming what is wrong in it.
  explicit KerasFile(const std::string& path);

  const std::string& path() const { return path_; }
  // What stands for config.json: model_type, keras_version and, unless the file holds weights alone and no file of
  // model.to_json() is beside it ("NAME.json" or config.json), keras_config. num_labels and image_size as the model's
  // ends tell them.
  const nlohmann::json& config() const { return config_; }
  // The HDF5 file of the weights; of .keras the one inside, which each call copies into memory.
  std::shared_ptr<const GuardedFile> weights() const;
  // Whether weights() is at path() itself, and not inside an archive.
  bool is_hdf5() const { return is_hdf5_; }

 private:
  void read_archive();
  void read_hdf5();
  void read_config_beside();
  void take_config(const std::string& text, const std::string& what);
  void take_version(const nlohmann::json& about);
  void tell_ends();

  std::string path_;
  bool is_hdf5_ = true;
  nlohmann::json config_;
  std::shared_ptr<const GuardedFile> hdf5_;  // null of .keras
};

}  // namespace sft
