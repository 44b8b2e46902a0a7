#include "trainer/optim/penalty.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/square.h>
#include <ATen/ops/sum.h>

namespace sft {

// Parameter by parameter, so that what is squared is no second arena; sums in double.
double Penalty::value(const Arena& arena) const {
  const at::NoGradGuard no_graph;
  double value = 0;
  if (l1 == 0 && l2 == 0) return value;
  for (const Placed& placed : arena.placed()) {
    const at::Tensor theta = placed.parameter.value.detach();
    if (l1 != 0) value += l1 * at::sum(at::abs(theta), at::kDouble).item<double>();
    if (l2 != 0) value += l2 * at::sum(at::square(theta), at::kDouble).item<double>();
  }
  return value;
}

void Penalty::add_gradient_to(Arena& arena) const {
  const at::NoGradGuard no_graph;
  at::Tensor gradients = arena.gradients();
  if (l1 != 0) gradients.add_(at::sign(arena.values()), l1);
  if (l2 != 0) gradients.add_(arena.values(), 2 * l2);
}

}  // namespace sft
