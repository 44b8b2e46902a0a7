#include "trainer/optim/penalty.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/sign.h>

namespace sft {

void Penalty::add_to(Arena& arena) const {
  const at::NoGradGuard no_graph;
  at::Tensor gradients = arena.gradients();
  if (l1 != 0) gradients.add_(at::sign(arena.values()), l1);
  if (l2 != 0) gradients.add_(arena.values(), 2 * l2);
}

}  // namespace sft
