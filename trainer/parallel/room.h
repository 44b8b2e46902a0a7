// Memory of a stage's parameters that comes and goes: between two uses the parameters are there without it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "trainer/optim/arena.h"
#include "trainer/parallel/buckets.h"

namespace sft {

// Neighbours in the arena that are of one stage, in one piece of memory that covers all buckets which they lie in. What
// autograd has saved of a parameter is a view of that memory too, and finds it when it is filled again.
class Room {
 public:
  // Of placed() [first, last]: takes their values from the arena, and their place in it from them. Empty afterwards.
  Room(const Arena& arena, const Buckets& buckets, size_t first, size_t last);

  int stage() const { return stage_; }
  int64_t begin() const { return begin_; }  // of its parameters in the arena, in elements
  int64_t end() const { return end_; }      // of them
  Buckets::Range buckets() const { return buckets_; }
  int64_t bytes() const { return bytes_; }  // of the room when it has memory

  bool has_memory() const { return has_memory_; }
  void open();   // uninitialised memory
  void close();  // gives it back

  // The part of it that stands for elements [offset, offset + size) of the arena; a view, which is not to outlive the
  // memory.
  at::Tensor part(int64_t offset, int64_t size) const { return flat_.narrow(0, offset - offset_, size); }
  const at::Tensor& flat() const { return flat_; }

 private:
  int stage_;
  int64_t begin_, end_;
  Buckets::Range buckets_;
  int64_t offset_ = 0;  // of the first bucket in the arena
  int64_t bytes_ = 0;
  at::Tensor flat_;
  bool has_memory_ = true;
};

}  // namespace sft
