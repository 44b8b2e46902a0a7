#include "trainer/learner/compute_activations.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include "base/stop_request.h"
#include "comm/agree.h"
#include "trainer/parallel/gradient_sync.h"

namespace sft {
namespace {

// Of one batch.
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

// Of this rank's samples; `counts` gets the rows of each behind its place.
std::vector<Computed> compute_mine(Learner& learner, const Dataset& dataset, Communicator& control,
                                   const EvalLoaderConfig& loading, std::vector<int64_t>& counts) {
  std::vector<Computed> mine;
  together(control, [&] {
    for (const Shard part : parts_of({control.rank(), control.size()}, loading.parts)) {
      const auto loader = make_eval_loader(dataset, part, loading);
      for (Batch batch; loader->next(batch);) {
        leave_if_asked();
        mine.push_back({batch.ids, learner.frozen_activations(batch)});
        const std::vector<int64_t> offsets = learner.frozen_offsets(batch);
        for (size_t b = 0; b < batch.ids.size(); ++b)
          counts[static_cast<size_t>(batch.ids[b]) + 1] = offsets[b + 1] - offsets[b];
      }
    }
  });
  return mine;
}

void put(const Computed& batch, Activations& all) {
  int64_t row = 0;
  for (const int64_t id : batch.ids) {
    const auto i = static_cast<size_t>(id);
    const int64_t count = all.offsets[i + 1] - all.offsets[i];
    all.rows.narrow(0, all.offsets[i], count).copy_(batch.rows.narrow(0, row, count));
    row += count;
  }
}

}  // namespace

Activations compute_activations(Learner& learner, const Dataset& dataset, Communicator& control,
                                const EvalLoaderConfig& loading) {
  Activations all;
  all.offsets.resize(static_cast<size_t>(dataset.size()) + 1);
  std::vector<Computed> mine = compute_mine(learner, dataset, control, loading, all.offsets);
  control.all_reduce(Buffer::of(std::span<int64_t>(all.offsets)));
  std::partial_sum(all.offsets.begin(), all.offsets.end(), all.offsets.begin());

  std::vector<int64_t> sizes{all.offsets.back()};
  const at::ScalarType type = agree_on_row(mine.empty() ? at::Tensor() : mine.front().rows, sizes, control);
  all.rows = at::empty(sizes, type);
  for (const Computed& batch : mine) put(batch, all);
  mine.clear();
  for (int rank = 0; rank < control.size(); ++rank) {
    const auto [first, end] = range_of(dataset, {rank, control.size()});
    const int64_t row = all.offsets[static_cast<size_t>(first)], end_row = all.offsets[static_cast<size_t>(end)];
    control.broadcast(buffer_of(all.rows.narrow(0, row, end_row - row)), rank);
  }
  return all;
}

}  // namespace sft
