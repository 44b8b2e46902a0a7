// Predictions of texts told with what they hang on: {"explanation": {"by": "gradient", "words": […], "scores": […]}}.
#pragma once

#include <string>
#include <vector>

#include "data/samples/batch.h"
#include "data/text/word_map.h"
#include "trainer/learner/attribution.h"

namespace sft {

class Explaining {
 public:
  // The ways to explain, and whether `how` is one of them.
  static const std::vector<std::string>& ways();

  // Borrows both. ConfigError where the model has no token that hides words, and as Attributor.
  Explaining(Learner& learner, const Tokenizer& tokenizer, std::string how);

  // Adds the member to the JSON objects of a batch's samples.
  void explain(const Batch& batch, std::vector<std::string>& predictions);

 private:
  std::string how_;
  WordMap words_;
  Attributor attributor_;
};

}  // namespace sft
