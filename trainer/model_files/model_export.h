// A model in a directory that transformers loads, or an adapter in one that PEFT loads, published by one rename.
#pragma once

#include <map>
#include <string>

#include "base/file_ops.h"
#include "trainer/model_files/model_directory.h"
#include "trainer/models/parameter.h"

namespace sft {

// The file that holds the weights, and what its header says of them.
struct ExportedWeights {
  std::string file = "model.safetensors";
  std::map<std::string, std::string> metadata = {{"format", "pt"}};
};

// Called by rank 0 alone. A directory that stands there already is moved aside first. It is removed when the new one is
// in place, if it holds what an export left, to the byte; else, changed since or made before exports bore a mark, it
// stays as <directory>.kept-<unique>, which is told. ExitCode::not_finite, naming the tensor, where a weight is no
// number; nothing is written then.
void export_model(FileOps& files, const std::string& directory, const Parameters& parameters, const NamedFiles& beside,
                  const ExportedWeights& weights = {});

}  // namespace sft
