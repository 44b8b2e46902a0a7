// A task's head, for who writes the model down in another form.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trainer/models/model.h"

namespace sft {

// What is read of a sample: its first row (of a decoder its last), the mean of its rows, or the model's pooler.
enum class Pooling { cls, mean, pooler };

struct HeadFacts {
  HeadShape shape;
  std::optional<Pooling> pooling;                 // nothing: each token by itself
  std::vector<std::string> outputs = {"logits"};  // of the transformers class; several: one number of each row each
};

}  // namespace sft
