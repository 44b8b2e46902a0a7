// Explanations of a model's predictions, or why it has none.
#pragma once

#include <memory>
#include <string>

#include "data/text/tokenizer.h"
#include "trainer/learner/learner.h"
#include "trainer/loop/explaining.h"
#include "trainer/tasks/tasks.h"

namespace sft {

struct Explained {
  std::string asked;      // for messages: "--explain" or "eval.explain"
  std::string way;        // of attribution_ways()
  std::string heat_maps;  // a directory for those of pictures; "": none
};

// Borrows learner and tokenizer (null of a model of pictures). ConfigError where rows of this task have not one label,
// and where heat maps of texts are asked for.
std::unique_ptr<Explaining> make_explaining(const Explained& asked, const TaskKind& kind, Learner& learner,
                                            const Tokenizer* tokenizer);

}  // namespace sft
