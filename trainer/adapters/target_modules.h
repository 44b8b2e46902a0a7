// Which of a model's layers get an adapter.
#pragma once

#include <string>
#include <vector>

#include "base/schema.h"
#include "trainer/models/model.h"

namespace sft {

// Whether PEFT's rule finds a module by one word of a list: the whole name, or the end of it behind a dot.
bool is_target(const std::string& module, const std::string& word);

// PEFT's targets where nobody names some, of the model_types that it knows; those of the same kind get the same layers.
// ConfigError for another.
StringList usual_target_modules(const std::string& model_type);

// The layers among `layers` that `wanted` names ({"all-linear"}: all of them), in their order. ConfigError for a word
// that finds none, with the nearest ends of module names, and where there is no layer at all.
std::vector<NamedLinear> find_targets(const StringList& wanted, const std::vector<NamedLinear>& layers);

}  // namespace sft
