#include "trainer/learner/activation_cache.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cassert>
#include <span>
#include <utility>

#include "comm/agree.h"
#include "trainer/parallel/gradient_sync.h"

namespace sft {
namespace {

struct Computed {
  std::vector<int64_t> ids;
  at::Tensor rows;
};

// Appends the sizes of one row and returns its type. A rank without samples learns them from one that has some.
at::ScalarType agree_on_row(const at::Tensor& rows, std::vector<int64_t>& sizes, Communicator& control) {
  constexpr size_t kMostSizes = 3;
  std::vector<int64_t> said(2 + kMostSizes);
  if (rows.defined()) {
    said[0] = static_cast<int64_t>(rows.scalar_type());
    said[1] = rows.dim() - 1;
    std::copy(rows.sizes().begin() + 1, rows.sizes().end(), said.begin() + 2);
  }
  const int64_t owner = max(control, rows.defined() ? int64_t{control.rank()} : int64_t{-1});
  control.broadcast(Buffer::of(std::span<int64_t>(said)), static_cast<int>(owner));
  sizes.insert(sizes.end(), said.begin() + 2, said.begin() + 2 + said[1]);
  return static_cast<at::ScalarType>(said[0]);
}

// [samples + 1]: where each sample's rows begin.
std::vector<int64_t> offsets_of(const Dataset& dataset, bool by_token) {
  std::vector<int64_t> offsets{0};
  for (int64_t i = 0; i < dataset.size(); ++i) offsets.push_back(offsets.back() + (by_token ? dataset.length(i) : 1));
  return offsets;
}

}  // namespace

at::Tensor frozen_activations(Learner& learner, const Dataset& dataset, Communicator& control,
                              const EvalLoaderConfig& loading) {
  std::vector<Computed> mine;
  bool by_token = false;
  together(control, [&] {
    for (const Shard part : parts_of({control.rank(), control.size()}, loading.parts)) {
      const auto loader = make_eval_loader(dataset, part, loading);
      for (Batch batch; loader->next(batch);) {
        mine.push_back({batch.ids, learner.frozen_part(batch)});
        by_token = by_token || mine.back().rows.size(0) != batch.size();
      }
    }
  });
  by_token = max(control, int64_t{by_token}) > 0;

  const std::vector<int64_t> offsets = offsets_of(dataset, by_token);
  std::vector<int64_t> sizes{offsets.back()};
  const at::ScalarType type = agree_on_row(mine.empty() ? at::Tensor() : mine.front().rows, sizes, control);
  const at::Tensor rows = at::empty(sizes, type);

  for (const Computed& batch : mine) {
    int64_t row = 0;
    for (const int64_t id : batch.ids) {
      const auto i = static_cast<size_t>(id);
      const int64_t count = offsets[i + 1] - offsets[i];
      rows.narrow(0, offsets[i], count).copy_(batch.rows.narrow(0, row, count));
      row += count;
    }
  }
  mine.clear();
  for (int rank = 0; rank < control.size(); ++rank) {
    const auto [first, end] = range_of(dataset, {rank, control.size()});
    const int64_t row = offsets[static_cast<size_t>(first)], end_row = offsets[static_cast<size_t>(end)];
    control.broadcast(buffer_of(rows.narrow(0, row, end_row - row)), rank);
  }
  return rows;
}

ActivationCache::ActivationCache(const Dataset& dataset, at::Tensor rows)
    : offsets_(offsets_of(dataset, rows.size(0) != dataset.size())), rows_(std::move(rows)) {
  assert(offsets_.back() == rows_.size(0));
}

at::Tensor ActivationCache::of(const Batch& batch) const {
  std::vector<at::Tensor> rows;
  for (const int64_t id : batch.ids) {
    const auto i = static_cast<size_t>(id);
    rows.push_back(rows_.narrow(0, offsets_[i], offsets_[i + 1] - offsets_[i]));
  }
  return rows.empty() ? rows_.narrow(0, 0, 0) : at::cat(rows);
}

}  // namespace sft
