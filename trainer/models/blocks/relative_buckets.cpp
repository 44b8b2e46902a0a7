#include "trainer/models/blocks/relative_buckets.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/log.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <cmath>

namespace sft {

at::Tensor relative_buckets(int64_t length, const BucketRule& rule) {
  const at::Tensor behind = at::arange(1 - length, length, at::kLong);
  const int64_t buckets = rule.is_bidirectional ? rule.buckets / 2 : rule.buckets, exact = buckets / 2;
  const at::Tensor distance = rule.is_bidirectional ? behind.abs() : -behind.clamp_max(0);
  const at::Tensor by_logarithm =
      ((distance.to(at::kFloat) / exact).log() /
       std::log(static_cast<double>(rule.max_distance) / static_cast<double>(exact)) * (buckets - exact))
          .to(at::kLong);
  const at::Tensor bucket = at::where(distance < exact, distance, (by_logarithm + exact).clamp_max(buckets - 1));
  return rule.is_bidirectional ? bucket + (behind > 0).to(at::kLong) * buckets : bucket;
}

at::Tensor BucketTable::of(int64_t length) {
  const int64_t most = buckets_.defined() ? (buckets_.size(0) + 1) / 2 : 0;
  if (length > most) buckets_ = relative_buckets(std::max(length, 2 * most), rule_).to(device_);
  const int64_t there = (buckets_.size(0) + 1) / 2;
  return buckets_.narrow(0, there - length, 2 * length - 1);
}

}  // namespace sft
