#include "trainer/parallel/sharded.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <utility>

#include "trainer/parallel/gradient_norm.h"

namespace sft {

int64_t bucket_unit(const Communicator& world) { return kNormRow * world.size(); }

Buckets even_buckets(const Arena& arena, const Communicator& world, int64_t bucket_bytes) {
  return cut_evenly(arena, std::min(kFirstBucketBytes, bucket_bytes), bucket_bytes, bucket_unit(world));
}

Sharded::Sharded(Arena& arena, Communicator& world, Buckets buckets, Leave leave)
    : Bucketed(arena, world, std::move(buckets), leave), gathers_(buckets_.list.size()) {
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

Sharded::~Sharded() {
  for (const auto& gather : gathers_)
    if (gather) keep_for_ever(arena_.values());
}

int64_t Sharded::unit() const { return bucket_unit(world_); }

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
  is_stale_ = true;
  if (!arena_.values().is_cpu()) start_gathers();
}

void Sharded::begin(int64_t) {
  start_gathers();
  // What computes next may use other communicators, beside which nothing of this one is to be under way.
  if (leave_ == Leave::at_the_end && arena_.values().is_cpu()) await_weights();
}

void Sharded::start_gathers() {
  if (!std::exchange(is_stale_, false)) return;
  const at::NoGradGuard no_graph;
  for (size_t k = buckets_.list.size(); k-- > 0;) {
    const Bucket& bucket = buckets_.list[k];
    const Buffer whole = buffer_of(arena_.value(bucket.offset, bucket.size));
    if (is_shared_out(k))
      gathers_[k] = world_.start_all_gather(buffer_of(arena_.value(own(k).offset, own(k).size)), whole);
    else
      world_.broadcast(whole, world_.size() - 1);
  }
}

void Sharded::await_bucket(size_t k) {
  if (gathers_[k]) gathers_[k]->wait();
  gathers_[k].reset();
}

void Sharded::await_weights() {
  start_gathers();
  for (size_t k = gathers_.size(); k-- > 0;) await_bucket(k);
}

void Sharded::before(int stage) {
  for (size_t i = arena_.placed().size(); i-- > 0;) {
    if (arena_.placed()[i].parameter.stage != stage) continue;
    const auto [first, last] = buckets_.of_placed[i];
    for (size_t k = last + 1; k-- > first;) await_bucket(k);
  }
}

// A rank without a share has told of no stage.
void Sharded::reduce() {
  await_weights();
  Bucketed::reduce();
}

std::unique_ptr<GradientSync::Whole> Sharded::whole() {
  await_weights();
  return GradientSync::whole();
}

}  // namespace sft
