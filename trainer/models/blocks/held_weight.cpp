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

constexpr int64_t kFewRows = 16;

bool are_few_rows(const at::Tensor& x, const at::Tensor& weight) {
  return x.is_cpu() && x.size(0) <= kFewRows && x.scalar_type() == at::kFloat &&
         weight.scalar_type() == at::kBFloat16 && weight.is_contiguous();
}

at::Tensor few_rows_with(const at::Tensor& x_any, const at::Tensor& weight) {
  constexpr int64_t kElementsAThread = 1 << 18;
  const at::Tensor x = x_any.contiguous(), y = at::empty({x.size(0), weight.size(0)}, x.options());
  const FewRows work{.num_rows = x.size(0),
                     .in = x.size(1),
                     .out = weight.size(0),
                     .x = x.const_data_ptr<float>(),
                     .weight = reinterpret_cast<const uint16_t*>(weight.const_data_ptr<at::BFloat16>()),
                     .y = y.mutable_data_ptr<float>()};
  at::parallel_for(0, work.out, std::max<int64_t>(kElementsAThread / std::max<int64_t>(work.in, 1), 1),
                   [&](int64_t begin, int64_t end) { few_rows_product(work, begin, end); });
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
