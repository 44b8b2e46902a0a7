// A model in a directory that transformers loads, or an adapter in one that PEFT loads, published by one rename.
#pragma once

#include <string>

#include "base/file_ops.h"
#include "trainer/model_files/model_directory.h"
#include "trainer/models/parameter.h"

namespace sft {

// Called by rank 0 alone. A directory that stands there already is moved aside first and removed when the new one is in
// place. ExitCode::not_finite, naming the tensor, where a weight is no number; nothing is written then.
void export_model(FileOps& files, const std::string& directory, const Parameters& parameters, const NamedFiles& beside,
                  const std::string& weights = "model.safetensors");

}  // namespace sft
