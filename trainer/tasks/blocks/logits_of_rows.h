// What a head gives before it is made probabilities, beside predictions.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace sft {

// Adds "logits", a list in the order of the outputs, to each of these JSON objects; `logits` has a row for each.
void add_logits(const at::Tensor& logits, std::vector<std::string>& predictions);

}  // namespace sft
