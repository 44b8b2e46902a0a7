#include "trainer/parallel/world_statistics.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/where.h>

#include "trainer/parallel/gradient_sync.h"

namespace sft {
namespace {

at::Tensor joined(const std::vector<at::Tensor>& tensors, at::ScalarType type) {
  if (tensors.empty()) return at::empty({0}, type);
  std::vector<at::Tensor> flat;
  for (const at::Tensor& tensor : tensors) flat.push_back(tensor.detach().flatten().to(type));
  return at::cat(flat);
}

void spread(const at::Tensor& flat, const std::vector<at::Tensor>& tensors) {
  int64_t at = 0;
  for (const at::Tensor& tensor : tensors) {
    tensor.detach().copy_(flat.narrow(0, at, tensor.numel()).view(tensor.sizes()));
    at += tensor.numel();
  }
}

}  // namespace

void WorldStatistics::sum(at::Tensor& values) { world_.all_reduce(buffer_of(values)); }

RunningStatistics::RunningStatistics(const Parameters& buffers, Communicator& world) : world_(world) {
  for (const Parameter& buffer : buffers) (buffer.value.is_floating_point() ? reals_ : counts_).push_back(buffer.value);
  restart();
}

void RunningStatistics::restart() {
  before_ = flat();
  counts_before_ = counts();
}

void RunningStatistics::join(double samples) {
  if (reals_.empty()) return;
  at::Tensor moves = at::cat({(flat() - before_) * samples, at::full({1}, samples, before_.options())});
  world_.all_reduce(buffer_of(moves));
  const int64_t size = before_.size(0);
  const at::Tensor all = moves[size];
  before_ = at::where(all.gt(0), before_ + moves.narrow(0, 0, size) / all, before_);
  spread(before_, reals_);
  if (counts_.empty()) return;
  counts_before_ = counts();
  world_.all_reduce(buffer_of(counts_before_), Reduction::max);
  spread(counts_before_, counts_);
}

at::Tensor RunningStatistics::flat() const { return joined(reals_, at::kDouble); }

at::Tensor RunningStatistics::counts() const { return joined(counts_, at::kLong); }

}  // namespace sft
