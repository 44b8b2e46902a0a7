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

KeptRuns::KeptRuns(const std::vector<Slice>& runs, const at::TensorOptions& options) {
  int64_t size = 0;
  for (const Slice& run : runs) {
    if (!runs_.empty() && runs_.back().offset + runs_.back().size == run.offset) {
      runs_.back().size += run.size;
    } else {
      runs_.push_back({run.offset, run.size, size});
    }
    size += run.size;
  }
  flat_ = flat_zeros(size, options);
}

at::Tensor KeptRuns::at(int64_t offset, int64_t size) const {
  const auto behind = std::ranges::upper_bound(runs_, offset, {}, &Run::offset);
  assert(behind != runs_.begin());
  const Run& run = *std::prev(behind);
  assert(offset + size <= run.offset + run.size && "a run that is not kept");
  return flat_.narrow(0, run.place + offset - run.offset, size);
}

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

  values_ = KeptRuns({{0, size_, 0}}, options);
  gradients_ = KeptRuns({{0, size_, 0}}, options);
  const at::NoGradGuard no_graph;
  for (Placed& placed : placed_) {
    at::Tensor& value = placed.parameter.value;
    const at::Tensor home = this->value(placed.offset, placed.size).view(value.sizes());
    home.copy_(value);
    value.set_data(home);
    value.set_requires_grad(true);
    value.mutable_grad() = gradient(placed.offset, placed.size).view(value.sizes());
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

void Arena::keep_gradients_of(const std::vector<Slice>& runs) {
  const at::TensorOptions options = gradients().options();
  for (Placed& placed : placed_) placed.parameter.value.mutable_grad().reset();
  gradients_ = KeptRuns();  // before there is another
  gradients_ = KeptRuns(runs, options);
}

void Arena::keep_values_of(const std::vector<Slice>& runs) {
  const at::NoGradGuard no_graph;
  const KeptRuns kept(runs, values().options());
  for (const Slice& run : runs) kept.at(run.offset, run.size).copy_(value(run.offset, run.size));
  values_ = kept;
}

void Arena::zero_gradients() { gradients().zero_(); }

}  // namespace sft
