// Fills a model and its head from weight files, and says what did not fit.
#pragma once

#include <string>
#include <vector>

#include "trainer/checkpoint/safetensors.h"
#include "trainer/models/model.h"
#include "trainer/models/parameter.h"

namespace sft {

struct LoadReport {
  std::vector<std::string> missing;     // in the files
  std::vector<std::string> unexpected;  // in the files, and nowhere in the model
  std::vector<std::string> mismatched;  // of another shape: what the file has and what the model
  Parameters untouched;                 // those missing and mismatched: as they were
};

// The names of the tensors in the files, without an output layer that is a copy of the table of words: older files hold
// a tied one twice.
std::vector<std::string> names_without_copies(const WeightFiles& files);

// DataError where a shape differs, unless `ignore_mismatched_sizes`; DataError where the files
// hold nothing of the backbone at all, and where a tensor is not of floating point numbers that are all finite.
LoadReport load_pretrained(const WeightFiles& files, const Model& model, const Parameters& parameters,
                           bool ignore_mismatched_sizes);

// Copies one tensor of a file, of the same shape. DataError where it is not of floating point numbers that are finite.
void copy_weight(const TensorRef& ref, const at::Tensor& into, const std::string& file);

// Lists missing, unexpected and mismatched names for a person; "" where all fitted.
std::string describe(const LoadReport& report);

}  // namespace sft
