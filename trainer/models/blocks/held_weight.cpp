// A W that is widened whole is small enough that its memory serves the next one without page faults (base/process.h,
// keep_freed_memory()). A panel is some rows of a larger one, and the library takes as much memory again to lay it out.
#include "trainer/models/blocks/held_weight.h"

#include <ATen/Parallel.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "trainer/models/blocks/few_rows_kernels.h"
#include "trainer/models/blocks/matrix_product.h"

namespace sft {
namespace {

constexpr int64_t kWholeElements = 7'000'000, kPanelElements = 2'000'000;

int64_t rows_a_panel(const at::Tensor& weight) {
  return std::max<int64_t>(kPanelElements / std::max<int64_t>(weight.size(1), 1), 1);
}

bool is_one_panel(const at::Tensor& weight, at::ScalarType type) {
  return weight.scalar_type() == type || weight.numel() <= kWholeElements;
}

// Calls use(first, panel) for rows [first, first + panel.size(0)) in `type`, from the first to the last.
template <class Use>
void by_panels(const at::Tensor& weight, at::ScalarType type, const Use& use) {
  const int64_t count = weight.size(0), at_a_time = rows_a_panel(weight);
  for (int64_t first = 0; first < count; first += at_a_time)
    use(first, weight.narrow(0, first, std::min(at_a_time, count - first)).to(type));
}

bool is_across(const at::Tensor& weight) { return !weight.is_contiguous() && weight.t().is_contiguous(); }

bool are_few_rows(const at::Tensor& x, const at::Tensor& weight) {
  const at::ScalarType held = weight.scalar_type();
  return x.is_cpu() && x.size(0) <= kMostFewRows && x.numel() > 0 && x.scalar_type() == at::kFloat &&
         (held == at::kFloat || held == at::kBFloat16 || held == at::kHalf) &&
         (weight.is_contiguous() || is_across(weight));
}

// Each thread has whole vectors of y, so that sums have one order for any number of threads.
template <class W>
void multiply_few(const FewRows<W>& work, void (*kernel)(const FewRows<W>&, int64_t, int64_t)) {
  constexpr int64_t kElementsAThread = 1 << 17, kColumns = 48;
  const int64_t parts = (work.out + kColumns - 1) / kColumns;
  at::parallel_for(
      0, parts, std::max<int64_t>(kElementsAThread / (work.in * kColumns), 1),
      [&](int64_t begin, int64_t end) { kernel(work, begin * kColumns, std::min(end * kColumns, work.out)); });
}

template <class W>
void few_rows_of(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& y) {
  FewRows<W> work{.num_rows = x.size(0),
                  .in = x.size(1),
                  .out = weight.size(0),
                  .x = x.const_data_ptr<float>(),
                  .weight = static_cast<const W*>(weight.const_data_ptr()),
                  .y = y.mutable_data_ptr<float>()};
  if (is_across(weight)) return multiply_few<W>(work, few_rows_product_across);
  at::Tensor turned;
  if (work.num_rows > kMostUnturned) {
    turned = at::empty({work.in, wide_rows(work.num_rows)}, x.options());
    turn_rows(work.x, work.num_rows, work.in, turned.mutable_data_ptr<float>());
    work.x = turned.const_data_ptr<float>();
  }
  multiply_few<W>(work, few_rows_product);
}

at::Tensor few_rows_with(const at::Tensor& x_any, const at::Tensor& weight) {
  const at::Tensor x = x_any.contiguous(), y = at::empty({x.size(0), weight.size(0)}, x.options());
  if (weight.scalar_type() == at::kFloat)
    few_rows_of<float>(x, weight, y);
  else if (weight.scalar_type() == at::kBFloat16)
    few_rows_of<BrainFloat>(x, weight, y);
  else
    few_rows_of<HalfFloat>(x, weight, y);
  return y;
}

}  // namespace

at::Tensor product_with(const at::Tensor& x, const at::Tensor& weight) {
  if (are_few_rows(x, weight)) return few_rows_with(x, weight);
  if (is_one_panel(weight, x.scalar_type())) return product(x, weight.to(x.scalar_type()).t());
  const at::Tensor y = at::empty({x.size(0), weight.size(0)}, x.options());
  by_panels(weight, x.scalar_type(), [&](int64_t first, const at::Tensor& panel) {
    y.narrow(1, first, panel.size(0)).copy_(product(x, panel.t()));
  });
  return y;
}

at::Tensor biased_product_with(const at::Tensor& bias, const at::Tensor& x, const at::Tensor& weight) {
  if (!x.is_cpu()) return at::addmm(bias, x, weight.to(x.scalar_type()).t());
  at::Tensor sum = product_with(x, weight).to(bias.scalar_type());
  return sum.add_(bias);
}

at::Tensor product_back(const at::Tensor& dy, const at::Tensor& weight) {
  if (is_one_panel(weight, dy.scalar_type())) return product(dy, weight.to(dy.scalar_type()));
  at::Tensor dx;
  by_panels(weight, dy.scalar_type(), [&](int64_t first, const at::Tensor& panel) {
    const at::Tensor part = dy.narrow(1, first, panel.size(0));
    if (dx.defined())
      add_product(dx, part, panel);
    else
      dx = product(part, panel);
  });
  return dx;
}

void add_product_back(at::Tensor& dx, const at::Tensor& dy, const at::Tensor& weight) {
  if (is_one_panel(weight, dy.scalar_type())) return add_product(dx, dy, weight.to(dy.scalar_type()));
  by_panels(weight, dy.scalar_type(), [&](int64_t first, const at::Tensor& panel) {
    add_product(dx, dy.narrow(1, first, panel.size(0)), panel);
  });
}

}  // namespace sft
