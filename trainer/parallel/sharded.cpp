#include "trainer/parallel/sharded.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "trainer/parallel/gradient_norm.h"

namespace sft {
namespace {

int64_t unit_of(const Communicator& world) { return kNormRow * world.size(); }

}  // namespace

Sharded::Sharded(Arena& arena, Communicator& world, int64_t bucket_bytes, Leave leave)
    : Bucketed(arena, world, cut_evenly(arena, std::min(kFirstBucketBytes, bucket_bytes), bucket_bytes, unit_of(world)),
               leave) {
  const int rank = world_.rank(), size = world_.size();
  for (size_t k = 0; k < buckets_.list.size(); ++k) {
    const Bucket& bucket = buckets_.list[k];
    if (is_shared_out(k)) {
      runs_.push_back({bucket.offset + bucket.size / size * rank, bucket.size / size});
    } else {
      runs_.push_back({bucket.offset, rank == size - 1 ? bucket.size : 0});
    }
  }
  for (const Slice& slice : arena_.slices())
    for (const Run& run : runs_) {
      const int64_t first = std::max(slice.offset, run.offset);
      const int64_t last = std::min(slice.offset + slice.size, run.offset + run.size);
      if (first < last) slices_.push_back({first, last - first, slice.group});
    }
}

int64_t Sharded::unit() const { return unit_of(world_); }

std::unique_ptr<Work> Sharded::start_sum(size_t k, const at::Tensor& flat) {
  if (!is_shared_out(k)) return world_.start_all_reduce(buffer_of(flat));
  const Run& run = own(k);
  return world_.start_reduce_scatter(buffer_of(flat),
                                     buffer_of(flat.narrow(0, run.offset - buckets_.list[k].offset, run.size)));
}

// Norms of rows travel, a thousandth of the gradients, rather than one sum of squares a rank: added in one order on
// all ranks they give, on CPUs, the bits of a rank that holds all gradients, however many ranks there are.
at::Tensor Sharded::clip(double max_norm) {
  const at::NoGradGuard no_graph;
  const int64_t num_rows = (arena_.size() + kNormRow - 1) / kNormRow;
  const at::Tensor rows = at::zeros({num_rows}, arena_.values().options().requires_grad(false));
  std::vector<at::Tensor> gradients;
  for (const Run& run : runs_) {
    if (run.size == 0) continue;
    gradients.push_back(arena_.gradient(run.offset, run.size));
    const at::Tensor norms = norms_of_rows(gradients.back());
    rows.narrow(0, run.offset / kNormRow, norms.numel()).copy_(norms);
  }
  world_.all_reduce(buffer_of(rows));
  const at::Tensor norm = norm_of_norms(rows);
  if (max_norm > 0) scale_to_norm(gradients, norm, max_norm);
  return norm;
}

void Sharded::publish() {
  const at::NoGradGuard no_graph;
  for (size_t k = 0; k < buckets_.list.size(); ++k) {
    const Bucket& bucket = buckets_.list[k];
    const Buffer whole = buffer_of(arena_.values().narrow(0, bucket.offset, bucket.size));
    if (is_shared_out(k))
      gathers_.push_back(
          world_.start_all_gather(buffer_of(arena_.values().narrow(0, own(k).offset, own(k).size)), whole));
    else
      world_.broadcast(whole, world_.size() - 1);
  }
  for (const auto& work : gathers_) work->wait();
  gathers_.clear();
}

}  // namespace sft
