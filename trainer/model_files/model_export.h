// A model in a directory that transformers loads, or an adapter in one that PEFT loads, published by one rename.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/file_ops.h"
#include "trainer/model_files/model_directory.h"
#include "trainer/models/parameter.h"

namespace sft {

// A tensor of a model file, made when it is written: what is merged, converted or fetched from a device takes the
// memory of one tensor at a time.
struct ExportedTensor {
  std::string name;
  at::ScalarType type;                // in the file
  std::vector<int64_t> shape;         // in the file
  std::function<at::Tensor()> value;  // of this shape, of any type
};
using ExportedTensors = std::vector<ExportedTensor>;

// A parameter as it is.
ExportedTensor exported(const Parameter& parameter);
ExportedTensors exported(const Parameters& parameters);

// "bfloat16" where all tensors of floating point numbers are of that type, likewise "float16" and "float64"; else
// "float32": what config.json calls the dtype of the weights.
std::string dtype_of(const ExportedTensors& tensors);

struct ExportForm {
  std::string weights = "model.safetensors";
  // Weights of more bytes stand in several files with an index beside them, each of no more unless it holds one tensor
  // alone (transformers' max_shard_size); 0: in one file, whatever their size.
  int64_t most_bytes = 0;
  std::map<std::string, std::string> metadata = {{"format", "pt"}};  // in the header of each
  // Files of the same weights in another form, beside the others.
  std::function<NamedFiles(const ExportedTensors&)> other_forms = [](const ExportedTensors&) { return NamedFiles{}; };
};

// Called by rank 0 alone. A directory that stands there already is moved aside first. It is removed when the new one is
// in place, if it holds what an export left, to the byte; else, changed since or made before exports bore a mark, it
// stays as <directory>.kept-<unique>, which is told. ExitCode::not_finite, naming the tensor, where a weight is no
// number; nothing is written then.
void export_model(FileOps& files, const std::string& directory, const ExportedTensors& tensors,
                  const NamedFiles& beside, const ExportForm& form = {});

// Adds the file to what export_model left in the directory, or replaces it there: it is part of the export from now on.
// StorageError.
void add_exported_file(FileOps& files, const std::string& directory, const std::string& name,
                       const std::string& content);

// Whether the directory holds all weights that export_model left there, to the byte; other files may be changed.
bool holds_exported_weights(const std::string& directory);

}  // namespace sft
