// Whether a model's weights can be held here at all, asked before any of them is allocated.
#pragma once

#include <c10/core/TensorOptions.h>

#include <string>

namespace sft {

// ConfigError where so many parameters of the options' type are more than the memory that this process may have;
// `sizes` are the keys of config.json that say so: "vocab_size 30522, hidden_size 768". On a device it says nothing.
void require_memory_for(double parameters, const at::TensorOptions& options, const std::string& sizes);

}  // namespace sft
