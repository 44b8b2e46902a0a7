// λ₁ Σ|θ| + λ₂ Σθ² + λ₃ Σ(θ − θ₀)² over trained parameters, a term of the training loss: its gradient is added once to
// the reduced gradient of the data, and its value once to the logged loss, so that neither depends on the number of
// ranks. θ₀ is where training starts: L2-SP (Li, Grandvalet and Davoine, "Explicit inductive bias for transfer learning
// with convolutional networks", 2018, eq. 3, whose α is 2λ₃, and β for what has no θ₀).
#pragma once

#include <set>
#include <string>

#include "trainer/optim/arena.h"

namespace sft {

struct Penalty {
  double l1 = 0;
  double l2 = 0;
  double l2_from_start = 0;
  at::Tensor start = {};  // θ₀ in the arena's layout; read where l2_from_start is above 0

  bool is_on() const { return l1 != 0 || l2 != 0 || l2_from_start != 0; }
  // At the arena's present values, which every rank holds: a float64 scalar on their device, which nobody waits for.
  at::Tensor value(const Arena& arena) const;
  void add_gradient_to(Arena& arena, const std::vector<Slice>& slices) const;  // to the gradients of these

 private:
  double value_on_host(const Arena& arena) const;
};

// The arena's values as they are, 0 for parameters that are not among `pretrained`: a new head has nothing to keep.
at::Tensor start_of(const Arena& arena, const std::set<std::string>& pretrained);

}  // namespace sft
