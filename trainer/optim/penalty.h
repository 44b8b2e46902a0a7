// λ₁ Σ|θ| + λ₂ Σθ² over trained parameters, as their gradient: added once to the reduced gradient of the data, so
// that it does not depend on the number of ranks. The logged loss stays that of the data.
#pragma once

#include "trainer/optim/arena.h"

namespace sft {

struct Penalty {
  double l1 = 0;
  double l2 = 0;

  void add_to(Arena& arena) const;
};

}  // namespace sft
