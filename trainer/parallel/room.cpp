// A tensor reaches its memory through its storage, which all views share. The storage's memory is taken away and put
// back, as torch's FSDP does by Storage.resize_(); sizes, strides and versions of the tensors stay.
#include "trainer/parallel/room.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <cassert>

namespace sft {

Room::Room(const Arena& arena, const Buckets& buckets, size_t first, size_t last)
    : stage_(arena.placed()[first].parameter.stage),
      begin_(arena.placed()[first].offset),
      end_(arena.placed()[last].offset + arena.placed()[last].size),
      buckets_{buckets.of_placed[first].first, buckets.of_placed[last].last} {
  const at::NoGradGuard no_graph;
  const Bucket& end = buckets.list[buckets_.last];
  offset_ = buckets.list[buckets_.first].offset;
  flat_ = at::empty({end.offset + end.size - offset_}, arena.values().options());
  bytes_ = static_cast<int64_t>(flat_.nbytes());
  for (size_t i = first; i <= last; ++i) {
    const Placed& placed = arena.placed()[i];
    at::Tensor value = placed.parameter.value;
    value.set_data(part(placed.offset, placed.size).view(value.sizes()));
    value.set_requires_grad(true);
  }
  close();
}

void Room::open() {
  assert(!has_memory_);
  c10::StorageImpl* const storage = flat_.storage().unsafeGetStorageImpl();
  storage->set_data_ptr_noswap(storage->allocator()->allocate(static_cast<size_t>(bytes_)));
  storage->set_nbytes(static_cast<size_t>(bytes_));
  has_memory_ = true;
}

void Room::close() {
  assert(has_memory_);
  c10::StorageImpl* const storage = flat_.storage().unsafeGetStorageImpl();
  storage->set_data_ptr_noswap(c10::DataPtr(nullptr, flat_.device()));
  storage->set_nbytes(0);
  has_memory_ = false;
}

}  // namespace sft
