// How parity programs and their Python scripts hand values to each other: files in one directory, little-endian.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

#include "trainer/learner/learner.h"

namespace sft::parity {

// DIR/case.json; its dtype is float64 or float32.
nlohmann::json case_in(const std::string& directory);
at::ScalarType dtype_of(const nlohmann::json& test);

using Leaves = std::map<std::string, Parameter>;  // by name

// The learner's parameters, filled from DIR/weights.bin in the order of the case's tensors, [name, shape] each.
Leaves filled(const Learner& learner, const nlohmann::json& test, const std::string& directory);

void write_values(std::ostream& file, const at::Tensor& values);
// The gradient of each of the case's tensors in their order, zeros where none came.
void write_gradients(std::ostream& file, const nlohmann::json& test, const Leaves& leaves);

// In training: the loss on the batch divided by its weight, with a graph.
at::Tensor mean_loss(Learner& learner, const Batch& batch);
// In evaluation, of a LogitsTask or a task whose model goes on from prompts: of all rows that are read.
at::Tensor logits_of(Learner& learner, const Batch& batch);

// Fills the learner, and writes DIR/out.bin: the loss on the batch divided by its weight, the logits, the gradients.
// Every tensor of the learner must be in the case.
void compare_on(const Batch& batch, Learner& learner, const nlohmann::json& test, const std::string& directory);

// main() of a program that is called with DIR alone: 2 where it is not, 1 and a word where run(DIR) throws.
int main_of(const char* program, int count, char** arguments, const std::function<void(const std::string&)>& run);

}  // namespace sft::parity
