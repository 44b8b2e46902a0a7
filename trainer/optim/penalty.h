// λ₁ Σ|θ| + λ₂ Σθ² over trained parameters, a term of the training loss: its gradient is added once to the
// reduced gradient of the data, and its value once to the logged loss, so that neither depends on the number of ranks.
#pragma once

#include "trainer/optim/arena.h"

namespace sft {

struct Penalty {
  double l1 = 0;
  double l2 = 0;

  // At the arena's present values, which every rank holds.
  double value(const Arena& arena) const;
  void add_gradient_to(Arena& arena) const;
};

}  // namespace sft
