// Predictions told with what they hang on: {"explanation": {"by": "gradient", …}}.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/file_ops.h"
#include "data/samples/batch.h"
#include "data/text/tokenizer.h"
#include "trainer/learner/learner.h"

namespace sft {

class Explaining {
 public:
  virtual ~Explaining() = default;

  // Adds the member to the JSON objects of a batch's samples.
  virtual void explain(const Batch& batch, std::vector<std::string>& predictions) = 0;
};

// The ways are attribution_ways(). Both borrow what they are given, and throw ConfigError where the model cannot be
// explained so.

// "words": […], "scores": […]. ConfigError where the model has no token that hides words.
std::unique_ptr<Explaining> explain_texts(Learner& learner, const Tokenizer& tokenizer, const std::string& way);

// "cell_pixels": n, "scores": [[…], …] of the cells, and "strongest": {"left", "top", "width", "height", "score"}, the
// cell that speaks most for the label, in pixels of the picture as the model sees it. With a directory "heat_map" too,
// a file in it that is written at once: the picture's name with the row's number behind it.
std::unique_ptr<Explaining> explain_pictures(Learner& learner, const std::string& way, const std::string& directory,
                                             FileOps& files);

}  // namespace sft
