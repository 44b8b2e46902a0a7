// What `inspect --verify` finds out about a model, or an adapter, in Hugging Face layout.
#pragma once

#include <string>

#include "launch/job.h"

namespace sft {

// Whether the directory holds a model or an adapter, not a run nor a checkpoint of one.
bool is_model_directory(const std::string& directory);

// The file of an adapter's weights, as PEFT names it; "" where there is none.
std::string adapter_weights_in(const std::string& directory);

// Whether a file or an index is there that WeightFiles opens; a Keras file is none.
bool has_weight_files(const std::string& directory);

// A line for each thing that was found right, and, of what cannot be judged, why. Every rank calls; rank 0 gets the
// text. Looked at: whether files are as this program exported them, where it did; whether an index names all tensors of
// its files; whether all weights are finite; whether they have the names and shapes that config.json says; whether the
// model has an embedding for each id of the tokenizer. DataError naming file and tensor where something is wrong. What
// is missing or not built here, as the base of an adapter or a tokenizer, leaves the last two not judged.
std::string verified_model(const std::string& directory, Job& job);

}  // namespace sft
