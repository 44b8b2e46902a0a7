#include "trainer/optim/penalty.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/square.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

namespace sft {
namespace {

struct Sums {
  double absolute = 0, squared = 0;

  Sums& operator+=(const Sums& other) {
    absolute += other.absolute;
    squared += other.squared;
    return *this;
  }
};

// In lanes of double, which the compiler takes side by side.
template <class T>
Sums sums_of(std::span<const T> theta) {
  constexpr size_t kLanes = 16;
  std::array<double, kLanes> absolute{}, squared{};
  size_t i = 0;
  for (; i + kLanes <= theta.size(); i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const double value = theta[i + lane];
      absolute[lane] += std::abs(value);
      squared[lane] += value * value;
    }
  Sums sums;
  for (size_t lane = 0; lane < kLanes; ++lane) sums += {absolute[lane], squared[lane]};
  for (; i < theta.size(); ++i) sums += {std::abs(double{theta[i]}), double{theta[i]} * theta[i]};
  return sums;
}

// Of a slice of an arena, whose elements lie side by side: pieces of one size, whose sums are added in their order, on
// any number of threads.
Sums sums_on_host(const at::Tensor& theta) {
  constexpr size_t kPiece = size_t{1} << 18;
  const auto count = static_cast<size_t>(theta.numel());
  std::vector<Sums> of_piece((count + kPiece - 1) / kPiece);
  AT_DISPATCH_FLOATING_TYPES(theta.scalar_type(), "penalty", [&] {
    const std::span<const scalar_t> values(theta.const_data_ptr<scalar_t>(), count);
    at::parallel_for(0, std::ssize(of_piece), 1, [&](int64_t begin, int64_t end) {
      for (auto piece = static_cast<size_t>(begin); piece < static_cast<size_t>(end); ++piece)
        of_piece[piece] = sums_of(values.subspan(piece * kPiece, std::min(kPiece, count - piece * kPiece)));
    });
  });
  Sums sums;
  for (const Sums& piece : of_piece) sums += piece;
  return sums;
}

// Of one parameter, flat.
at::Tensor part_of(const at::Tensor& flat, const Placed& placed) { return flat.narrow(0, placed.offset, placed.size); }
at::Tensor flat_value_of(const Placed& placed) { return placed.parameter.value.detach().view({placed.size}); }

}  // namespace

double Penalty::value_on_host(const Arena& arena) const {
  Sums sums;
  double moved = 0;
  for (const Placed& placed : arena.placed()) {
    if (l2_from_start != 0) moved += sums_on_host(flat_value_of(placed) - part_of(start, placed)).squared;
    if (l1 != 0 || l2 != 0) sums += sums_on_host(placed.parameter.value.detach());
  }
  return l1 * sums.absolute + l2 * sums.squared + l2_from_start * moved;
}

// Parameter by parameter, so that what is squared is no second arena; sums in double.
at::Tensor Penalty::value(const Arena& arena) const {
  const at::NoGradGuard no_graph;
  if (arena.values().is_cpu()) return at::scalar_tensor(value_on_host(arena), at::kDouble);
  at::Tensor sum = at::zeros({}, arena.values().options().dtype(at::kDouble));
  for (const Placed& placed : arena.placed()) {
    const at::Tensor theta = flat_value_of(placed);
    if (l1 != 0) sum.add_(at::sum(at::abs(theta), at::kDouble), l1);
    if (l2 != 0) sum.add_(at::sum(at::square(theta), at::kDouble), l2);
    if (l2_from_start != 0) sum.add_(at::sum(at::square(theta - part_of(start, placed)), at::kDouble), l2_from_start);
  }
  return sum;
}

// The padding between parameters is zero everywhere, and stays so.
void Penalty::add_gradient_to(Arena& arena, const std::vector<Slice>& slices) const {
  const at::NoGradGuard no_graph;
  for (const Slice& slice : slices) {
    const at::Tensor gradients = arena.gradient(slice.offset, slice.size);
    const at::Tensor values = arena.value(slice.offset, slice.size);
    if (l1 != 0) gradients.add_(at::sign(values), l1);
    if (l2 != 0) gradients.add_(values, 2 * l2);
    if (l2_from_start != 0) gradients.add_(values - start.narrow(0, slice.offset, slice.size), 2 * l2_from_start);
  }
}

at::Tensor start_of(const Arena& arena, const std::set<std::string>& pretrained) {
  const at::NoGradGuard no_graph;
  at::Tensor start = arena.values().detach().clone();
  for (const Placed& placed : arena.placed())
    if (!pretrained.contains(placed.parameter.name)) part_of(start, placed).zero_();
  return start;
}

}  // namespace sft
