// What a task gives whose model goes on from prompts (trainer/learner/generator.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "data/samples/batch.h"

namespace sft {

struct Statistics;

struct Prompt {
  std::vector<int32_t> tokens;  // one at least
  int64_t row = 0;              // of the input; keys draws
};

struct Continuation {
  std::vector<int32_t> tokens;  // without the one that ended it
  bool stopped = false;         // by such a token; false: by length
};

class Generating {
 public:
  virtual ~Generating() = default;

  // What the model is to go on from for sample b of a batch: all before what it would have learned last.
  virtual Prompt prompt(const Batch& batch, size_t b) const = 0;
  // Of the next token, [B, V], from features [B, C].
  virtual at::Tensor next_logits(const at::Tensor& x_BC) const = 0;
  // A JSON object: what was said to sample b, how it ended and, where the sample has one, its own answer.
  virtual nlohmann::ordered_json row(const Batch& batch, size_t b, const Continuation& said) const = 0;
  // Counts what was said beside sample b's own answer, of which there must be one, in the statistics of the task.
  virtual void compare(const Batch& batch, size_t b, const Continuation& said, Statistics& into) const = 0;
};

}  // namespace sft
