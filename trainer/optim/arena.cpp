// Every parameter starts on a 64-byte border, so that kernels over a single one are aligned too. The
// padding behind a parameter is zero in all buffers and stays so: zero gradients move nothing.
#include "trainer/optim/arena.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <unordered_set>

#include "trainer/optim/flat_zeros.h"

namespace sft {
namespace {

constexpr int64_t kAlignment = 64;  // bytes

int64_t aligned(int64_t elements, int64_t element_bytes) {
  const int64_t step = kAlignment / element_bytes;
  return (elements + step - 1) / step * step;
}

}  // namespace

Arena::Arena(const Parameters& trained, const std::vector<int>& groups) {
  assert(!trained.empty() && trained.size() == groups.size());
  const at::TensorOptions options = trained.front().value.options().requires_grad(false);
  const auto element_bytes = static_cast<int64_t>(options.dtype().itemsize());

  std::unordered_set<const void*> seen;
  for (size_t i = trained.size(); i-- > 0;) {
    const at::Tensor& value = trained[i].value;
    assert(value.dtype() == options.dtype() && value.device() == options.device());
    const bool is_new = seen.insert(value.unsafeGetTensorImpl()).second;
    assert(is_new && "a tied tensor is one parameter");
    (void)is_new;
    placed_.push_back({trained[i], size_, value.numel(), groups[i]});
    num_parameters_ += value.numel();
    size_ += aligned(value.numel(), element_bytes);
  }

  values_ = flat_zeros(size_, options);
  gradients_ = flat_zeros(size_, options);
  kept_ = {{0, size_, 0}};
  const at::NoGradGuard no_graph;
  for (Placed& placed : placed_) {
    at::Tensor& value = placed.parameter.value;
    const at::Tensor home = values_.narrow(0, placed.offset, placed.size).view(value.sizes());
    home.copy_(value);
    value.set_data(home);
    value.set_requires_grad(true);
    value.mutable_grad() = gradients_.narrow(0, placed.offset, placed.size).view(value.sizes());
  }
}

std::vector<Slice> Arena::slices() const {
  std::vector<Slice> runs;
  for (size_t i = 0; i < placed_.size(); ++i) {
    const int64_t end = i + 1 < placed_.size() ? placed_[i + 1].offset : size_;
    if (!runs.empty() && runs.back().group == placed_[i].group) {
      runs.back().size = end - runs.back().offset;
    } else {
      runs.push_back({placed_[i].offset, end - placed_[i].offset, placed_[i].group});
    }
  }
  return runs;
}

at::Tensor Arena::gradient(int64_t offset, int64_t size) const {
  const auto behind = std::ranges::upper_bound(kept_, offset, {}, &Kept::offset);
  assert(behind != kept_.begin());
  const Kept& run = *std::prev(behind);
  assert(offset + size <= run.offset + run.size && "a gradient that is not kept");
  return gradients_.narrow(0, run.place + offset - run.offset, size);
}

void Arena::keep_gradients_of(const std::vector<Slice>& runs) {
  kept_.clear();
  int64_t size = 0;
  for (const Slice& run : runs) {
    if (!kept_.empty() && kept_.back().offset + kept_.back().size == run.offset) {
      kept_.back().size += run.size;
    } else {
      kept_.push_back({run.offset, run.size, size});
    }
    size += run.size;
  }
  for (Placed& placed : placed_) placed.parameter.value.mutable_grad().reset();
  gradients_ = at::Tensor();  // before there is another
  gradients_ = flat_zeros(size, values_.options());
}

void Arena::zero_gradients() { gradients_.zero_(); }

}  // namespace sft
