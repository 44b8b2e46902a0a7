// What a language model says to the rows of an evaluation, beside what it makes of their own answers.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "data/samples/batch.h"
#include "trainer/learner/generator.h"
#include "trainer/learner/learner.h"

namespace sft {

struct AnswerSettings {
  GenerateConfig generate = {};
  uint64_t seed = 0;      // of the choice of rows, and of draws
  int64_t most_rows = 0;  // so many rows of the dataset are answered, the same on any ranks
};

class Answering {
 public:
  // Borrows the learner, whose task is Generating.
  Answering(Learner& learner, int64_t num_samples, const AnswerSettings& settings);

  // Answers the samples of the batch that are chosen. Where they are not null, `into` gets the comparison with the
  // samples' own answers, and rows[b] of a batch's JSON objects what was said. `may_leave`, called at each token, may
  // throw.
  void answer(const Batch& batch, Statistics* into, std::vector<std::string>* rows,
              const std::function<void()>& may_leave);

 private:
  const Generating& generating_;
  Generator generator_;
  int64_t most_rows_;
  Permutation order_;
};

}  // namespace sft
