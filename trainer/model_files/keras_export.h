// A trained Keras model as a file that Keras loads.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "trainer/model_files/model_export.h"

namespace sft {

inline constexpr char kKerasExport[] = "model.h5";

// Whether config.json's content is that of a Keras model.
bool is_keras_model(const nlohmann::json& config);

// Writes into the model that `config` describes how many classes it tells apart.
void set_keras_classes(nlohmann::json& config, int64_t classes);

// The bytes of an HDF5 file in Keras 2's layout, which Keras 2 and 3 load; float32, without an optimizer. `tensors` are
// all of the model's. It is made in memory.
std::string keras_hdf5(const nlohmann::json& config, const ExportedTensors& tensors);

}  // namespace sft
