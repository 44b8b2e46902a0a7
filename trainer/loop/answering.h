// Generated answers in an evaluation: a language model goes on from the prompts of some rows, and each answer is
// compared with the reference of its row.
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
  uint64_t seed = 0;      // of the chosen rows and of the drawn tokens
  int64_t most_rows = 0;  // number of rows that are answered; the same rows on any number of ranks
};

class Answering {
 public:
  // Borrows the learner, whose task is Generating.
  Answering(Learner& learner, int64_t num_samples, const AnswerSettings& settings);

  // Answers the chosen samples of the batch. The comparison with their references is added to `into`, and the answer of
  // sample b to the JSON object rows[b], where these are not null. `may_leave`, called at each token, may throw.
  void answer(const Batch& batch, Statistics* into, std::vector<std::string>* rows,
              const std::function<void()>& may_leave);

 private:
  const Generating& generating_;
  Generator generator_;
  int64_t most_rows_;
  Permutation order_;
};

}  // namespace sft
